package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.server.AdapterSpec;
import dev.mixtral.server.ApiKey;
import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.api.LoadedModel;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.server.testing.RandomAdapter;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Adapters of the model that comes with the program: named, loaded and unloaded by requests.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdaptersTest {
    private static final Path TINY = Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny");

    @TempDir
    private static Path folder;

    private LoadedModel model;
    private TestServer server;

    @BeforeAll
    void start() throws Exception {
        try (LoadedModel bare = LoadedModel.load(new ModelSpec(TINY, "tiny", List.of()), EngineConfig.defaults())) {
            RandomAdapter.write(folder.resolve("one"), bare.engine(), 1);
            RandomAdapter.write(folder.resolve("two"), bare.engine(), 2);
        }
        ModelSpec spec =
                new ModelSpec(TINY, "tiny", List.of("any"), List.of(new AdapterSpec("one", folder.resolve("one"))));
        model = LoadedModel.load(spec, EngineConfig.defaults());
        server = TestServer.of(
                new ServedModels(model.all().toList()), builder -> builder.allowRuntimeLoraUpdating(true));
    }

    @AfterAll
    void stop() {
        server.close();
        model.close();
    }

    private Answer ask(String name) throws IOException, InterruptedException {
        return server.post(
                "/v1/chat/completions",
                "{\"model\":\"" + name + "\",\"messages\":[{\"role\":\"user\",\"content\":\"Tell me a story.\"}],"
                        + "\"temperature\":0,\"max_tokens\":20}");
    }

    private String text(String name) throws IOException, InterruptedException {
        Answer answer = ask(name);
        assertThat(answer.status()).describedAs(answer.text()).isEqualTo(200);
        return answer.json().at("/choices/0/message/content").asString();
    }

    private Answer load(String name, String path) throws IOException, InterruptedException {
        return server.post("/v1/load_lora_adapter", "{\"lora_name\":\"" + name + "\",\"lora_path\":\"" + path + "\"}");
    }

    private Answer unload(String name) throws IOException, InterruptedException {
        return server.post("/v1/unload_lora_adapter", "{\"lora_name\":\"" + name + "\"}");
    }

    @Test
    void anAdapterIsAModelWithAParent() throws Exception {
        JsonNode cards = server.get("/v1/models").json().path("data");
        assertThat(cards.at("/0/id").asString()).isEqualTo("tiny");
        assertThat(cards.at("/0/parent").isNull()).isTrue();
        assertThat(cards.at("/1/id").asString()).isEqualTo("tiny:one");
        assertThat(cards.at("/1/parent").asString()).isEqualTo("tiny");
        // Mistral's clients know a fine-tuned model by these two.
        assertThat(cards.at("/1/type").asString()).isEqualTo("fine-tuned");
        assertThat(cards.at("/1/job").isString()).isTrue();
        assertThat(cards.at("/0").has("job")).isFalse();
        assertThat(cards.at("/1/aliases/0").asString()).isEqualTo("one");
        assertThat(server.get("/v1/models/one").json().path("id").asString()).isEqualTo("tiny:one");
    }

    @Test
    void requestsChooseByName() throws Exception {
        JsonNode base = ask("tiny").json();
        JsonNode adapted = ask("tiny:one").json();
        assertThat(adapted.path("model").asString()).isEqualTo("tiny:one");
        assertThat(adapted.at("/choices/0/message/content")).isNotEqualTo(base.at("/choices/0/message/content"));
        assertThat(adapted.path("system_fingerprint")).isNotEqualTo(base.path("system_fingerprint"));
        assertThat(text("one")).isEqualTo(text("tiny:one"));
        assertThat(text("any")).isEqualTo(text("tiny"));
        Answer scored = server.post(
                "/v1/completions",
                "{\"model\":\"one\",\"prompt\":\"A story\",\"echo\":true,\"logprobs\":1,\"max_tokens\":0}");
        Answer plain = server.post(
                "/v1/completions",
                "{\"model\":\"tiny\",\"prompt\":\"A story\",\"echo\":true,\"logprobs\":1,\"max_tokens\":0}");
        assertThat(scored.json().at("/choices/0/logprobs/token_logprobs"))
                .isNotEqualTo(plain.json().at("/choices/0/logprobs/token_logprobs"));
    }

    @Test
    void adaptersComeAndGoWhileTheServerRuns() throws Exception {
        Answer loaded = load("two", folder.resolve("two").toString());
        assertThat(loaded.status()).describedAs(loaded.text()).isEqualTo(200);
        assertThat(loaded.text()).isEqualTo("Success: LoRA adapter 'two' added successfully.");
        assertThat(text("tiny:two")).isNotEqualTo(text("tiny:one")).isNotEqualTo(text("tiny"));
        Answer again = load("two", folder.resolve("two").toString());
        assertThat(again.status()).isEqualTo(400);
        assertThat(again.json().at("/error/message").asString()).contains("'two' has already been loaded");
        Answer gone = unload("two");
        assertThat(gone.text()).isEqualTo("Success: LoRA adapter 'two' removed successfully.");
        assertThat(ask("two").status()).isEqualTo(404);
        assertThat(unload("two").status()).isEqualTo(404);
    }

    @Test
    void whatCannotBeLoadedIsSaid() throws Exception {
        Answer nothing = load("three", folder.resolve("nothing").toString());
        assertThat(nothing.status()).isEqualTo(404);
        assertThat(nothing.json().at("/error/message").asString()).contains("no adapter at");
        Files.createDirectories(folder.resolve("broken"));
        Files.writeString(folder.resolve("broken/adapter_config.json"), "{");
        Files.writeString(folder.resolve("broken/adapter_model.safetensors"), "");
        Answer broken = load("three", folder.resolve("broken").toString());
        assertThat(broken.status()).isEqualTo(400);
        assertThat(broken.json().at("/error/param").asString()).isEqualTo("lora_path");
        Answer noPath = server.post("/v1/load_lora_adapter", "{\"lora_name\":\"three\"}");
        assertThat(noPath.status()).isEqualTo(400);
        assertThat(noPath.json().at("/error/message").asString())
                .isEqualTo("Both 'lora_name' and 'lora_path' must be provided.");
        assertThat(load("tiny", folder.resolve("two").toString()).status()).isEqualTo(400);
        assertThat(load("*", folder.resolve("two").toString()).status()).isEqualTo(400);
        assertThat(server.post("/v1/unload_lora_adapter", "{}").status()).isEqualTo(400);
        // A model is no adapter.
        assertThat(unload("tiny").status()).isEqualTo(404);
        Answer noModel = server.post(
                "/v1/load_lora_adapter", "{\"lora_name\":\"x\",\"lora_path\":\"y\",\"base_model_name\":\"nobody\"}");
        assertThat(noModel.status()).isEqualTo(404);
    }

    @Test
    void unloadingLetsRunningRequestsEnd() throws Exception {
        String path = folder.resolve("two").toString();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int round = 0; round < 10; round++) {
                assertThat(load("busy", path).status()).isEqualTo(200);
                List<Future<Answer>> answers = IntStream.range(0, 4)
                        .mapToObj(_ -> threads.submit(() -> ask("busy")))
                        .toList();
                assertThat(unload("busy").status()).isEqualTo(200);
                for (Future<Answer> answer : answers) {
                    // It came before, and has its answer; or after, and is told so.
                    assertThat(answer.get().status()).isIn(200, 404);
                }
            }
        }
    }

    @Test
    void loadingIsOffUnlessAllowedAndNeedsAKey() throws Exception {
        try (TestServer other = TestServer.of(new ServedModels(model.all().toList()))) {
            Answer answer = other.post("/v1/load_lora_adapter", "{\"lora_name\":\"x\",\"lora_path\":\"y\"}");
            assertThat(answer.status()).isEqualTo(404);
            assertThat(answer.json().at("/error/message").asString()).contains("--allow-runtime-lora-updating");
        }
        ApiKey all = new ApiKey("all", "sk-all", Set.of());
        ApiKey some = new ApiKey("some", "sk-some", Set.of("tiny:one"));
        try (TestServer other = TestServer.of(
                new ServedModels(model.all().toList()),
                builder -> builder.allowRuntimeLoraUpdating(true).apiKeys(List.of(all, some)))) {
            String body = "{\"lora_name\":\"x\",\"lora_path\":\"y\"}";
            assertThat(other.post("/v1/load_lora_adapter", body).status()).isEqualTo(401);
            assertThat(other.post("/v1/load_lora_adapter", body, "authorization", "Bearer sk-some")
                            .status())
                    .isEqualTo(403);
            assertThat(other.post("/v1/load_lora_adapter", body, "authorization", "Bearer sk-all")
                            .status())
                    .isEqualTo(404);
            JsonNode cards = other.get("/v1/models", "authorization", "Bearer sk-some")
                    .json()
                    .path("data");
            assertThat(cards).hasSize(1);
            assertThat(cards.at("/0/id").asString()).isEqualTo("tiny:one");
        }
    }
}

package dev.mixtral.server.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.server.ApiKey;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.api.LoadedModel;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.server.http.MixtralServer;
import dev.mixtral.server.wire.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

/// Files and batches over HTTP.
@Timeout(60)
class BatchApiTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static LoadedModel model;

    @TempDir
    private Path folder = Path.of("");

    private @Nullable MixtralServer server;
    private String key = "";

    @BeforeAll
    static void load() {
        model = LoadedModel.load(
                TestBatch.spec(), EngineConfig.defaults().withNumThreads(1).withMaxNumSeqs(4));
    }

    @AfterAll
    static void unload() {
        model.close();
    }

    private MixtralServer server() {
        return Objects.requireNonNull(server);
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.close();
        }
    }

    private void start(ServerConfig.Builder config) throws IOException, InterruptedException {
        MixtralServer started = MixtralServer.start(config.port(0).build(), ServerObserver.NONE, "test");
        server = started;
        started.ready(new ServedModels(List.of(model.served())));
    }

    private ServerConfig.Builder withFolder() {
        return ServerConfig.builder().dataDir(folder.toString());
    }

    private HttpResponse<String> send(String method, String path, String type, String body)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server().url() + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .header("content-type", type)
                .header("authorization", "Bearer " + key)
                .build();
        return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
    }

    private ObjectNode json(int status, String method, String path, String body)
            throws IOException, InterruptedException {
        HttpResponse<String> answer = send(method, path, "application/json", body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return Json.parseObject(answer.body().getBytes(StandardCharsets.UTF_8));
    }

    private ObjectNode get(String path) throws IOException, InterruptedException {
        return json(200, "GET", path, "");
    }

    private String upload(String text) throws IOException, InterruptedException {
        String form = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\n"
                + "Content-Disposition: form-data; name=\"file\"; filename=\"../in.jsonl\"\r\n\r\n" + text
                + "\r\n--b--\r\n";
        HttpResponse<String> answer = send("POST", "/v1/files", "multipart/form-data; boundary=b", form);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        ObjectNode file = Json.parseObject(answer.body().getBytes(StandardCharsets.UTF_8));
        assertThat(file.path("filename").asString("")).isEqualTo("in.jsonl");
        assertThat(file.path("bytes").asInt(0)).isEqualTo(text.getBytes(StandardCharsets.UTF_8).length);
        return file.path("id").asString("");
    }

    private String createBatch(String fileId) throws IOException, InterruptedException {
        ObjectNode batch = json(
                200,
                "POST",
                "/v1/batches",
                "{\"input_file_id\":\"" + fileId + "\",\"endpoint\":\"/v1/completions\",\"completion_window\":\"24h\","
                        + "\"metadata\":{\"job\":\"test\"}}");
        assertThat(batch.path("object").asString("")).isEqualTo("batch");
        assertThat(batch.path("metadata").path("job").asString("")).isEqualTo("test");
        return batch.path("id").asString("");
    }

    private ObjectNode awaitStatus(String batchId, String status) throws IOException, InterruptedException {
        while (true) {
            ObjectNode batch = get("/v1/batches/" + batchId);
            String now = batch.path("status").asString("");
            if (now.equals(status)) {
                return batch;
            }
            assertThat(BatchStatus.ofWord(now).isFinal()).as(batch.toString()).isFalse();
            Thread.sleep(20);
        }
    }

    private List<String> customIds(String fileId) throws IOException, InterruptedException {
        HttpResponse<String> answer = send("GET", "/v1/files/" + fileId + "/content", "text/plain", "");
        assertThat(answer.statusCode()).isEqualTo(200);
        return answer.body()
                .lines()
                .map(line -> Json.parseObject(line.getBytes(StandardCharsets.UTF_8))
                        .path("custom_id")
                        .asString("none"))
                .toList();
    }

    private static List<String> ids(int count) {
        return IntStream.range(0, count).mapToObj(i -> "r" + i).toList();
    }

    private static String lines(int count, String extra) {
        return ids(count).stream()
                .map(id -> TestBatch.completionLine(id, extra))
                .collect(Collectors.joining());
    }

    @Test
    void withoutAFolderTheAnswerSaysHowToGetOne() throws IOException, InterruptedException {
        start(ServerConfig.builder());

        for (String path : List.of("/v1/files", "/v1/batches", "/v1/batches/batch_x")) {
            assertThat(json(404, "GET", path, "").path("error").path("message").asString(""))
                    .contains("--data-dir");
        }
    }

    @Test
    void aFileBecomesABatchBecomesFilesOfResults() throws IOException, InterruptedException {
        start(withFolder());
        String text = lines(6, "") + "no json\n" + TestBatch.chatLine("chat")
                + TestBatch.completionLine("hot", ",\"temperature\":9");
        String fileId = upload(text);
        assertThat(send("GET", "/v1/files/" + fileId + "/content", "text/plain", "")
                        .body())
                .isEqualTo(text);

        String batchId = createBatch(fileId);
        ObjectNode batch = awaitStatus(batchId, "completed");

        assertThat(batch.path("request_counts").toString()).isEqualTo("{\"total\":9,\"completed\":6,\"failed\":3}");
        assertThat(customIds(batch.path("output_file_id").asString(""))).isEqualTo(ids(6));
        assertThat(customIds(batch.path("error_file_id").asString(""))).containsExactly("none", "chat", "hot");
        assertThat(batch.path("completed_at").isNumber()).isTrue();
        assertThat(batch.has("owner")).isFalse();
        assertThat(get("/v1/batches?limit=5").path("data").path(0).path("id").asString(""))
                .isEqualTo(batchId);
        assertThat(get("/v1/files?purpose=batch_output").path("data")).hasSize(2);
        assertThat(get("/v1/files?limit=2").path("has_more").asBoolean(false)).isTrue();
        assertThat(json(400, "POST", "/v1/batches/" + batchId + "/cancel", "")
                        .path("message")
                        .asString(""))
                .contains("completed");
        assertThat(json(200, "DELETE", "/v1/files/" + fileId, "")
                        .path("deleted")
                        .asBoolean(false))
                .isTrue();
        json(404, "GET", "/v1/files/" + fileId, "");
        json(404, "GET", "/v1/files/..%2Flock", "");
    }

    @Test
    void mistakesAreNamed() throws IOException, InterruptedException {
        start(withFolder());
        String fileId = upload("\n");
        String form = String.join(
                "\r\n",
                "--b",
                "Content-Disposition: form-data; name=\"purpose\"",
                "",
                "fine-tune",
                "--b",
                "Content-Disposition: form-data; name=\"file\"; filename=\"x\"",
                "",
                "x",
                "--b--",
                "");
        assertThat(send("POST", "/v1/files", "multipart/form-data; boundary=b", form)
                        .body())
                .contains("\"param\":\"purpose\"");
        assertThat(send("POST", "/v1/files", "application/json", "{}").statusCode())
                .isEqualTo(400);
        String start = "{\"input_file_id\":\"" + fileId + "\",\"completion_window\":\"24h\"";
        assertThat(json(400, "POST", "/v1/batches", start + "}").path("param").asString(""))
                .isEqualTo("endpoint");
        assertThat(json(400, "POST", "/v1/batches", start + ",\"endpoint\":\"/v1/models\"}")
                        .path("param")
                        .asString(""))
                .isEqualTo("endpoint");
        assertThat(json(
                                400,
                                "POST",
                                "/v1/batches",
                                "{\"input_file_id\":\"file-1\",\"completion_window\":\"24h\","
                                        + "\"endpoint\":\"/v1/completions\"}")
                        .path("param")
                        .asString(""))
                .isEqualTo("input_file_id");
        ObjectNode failed = awaitStatus(createBatch(fileId), "failed");
        assertThat(failed.path("errors").path("data").path(0).path("code").asString(""))
                .isEqualTo("empty_file");
    }

    @Test
    void anotherServerGoesOnWithWhatOneLeft() throws IOException, InterruptedException {
        start(withFolder());
        String batchId = createBatch(upload(lines(40, "")));
        while (get("/v1/batches/" + batchId)
                        .path("request_counts")
                        .path("completed")
                        .asInt(0)
                < 3) {
            Thread.sleep(5);
        }
        assertThatThrownBy(() -> MixtralServer.start(withFolder().port(0).build(), ServerObserver.NONE, "test"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another server uses the data folder");
        server().close();

        start(withFolder());
        ObjectNode batch = awaitStatus(batchId, "completed");

        assertThat(customIds(batch.path("output_file_id").asString(""))).isEqualTo(ids(40));
        assertThat(batch.path("error_file_id").isNull()).isTrue();
        try (Stream<Path> left = Files.list(folder.resolve("batches"))) {
            assertThat(left).noneMatch(path -> path.toString().endsWith(".partial"));
        }
    }

    @Test
    void aCancelledBatchKeepsWhatIsDone() throws IOException, InterruptedException {
        start(withFolder());
        String fileId = upload(lines(2, "") + lines(400, ",\"max_tokens\":200").replace("\"r", "\"long"));
        String batchId = createBatch(fileId);
        while (get("/v1/batches/" + batchId)
                        .path("request_counts")
                        .path("completed")
                        .asInt(0)
                < 2) {
            Thread.sleep(5);
        }
        assertThat(json(400, "DELETE", "/v1/files/" + fileId, "").path("code").asString(""))
                .isEqualTo("file_in_use");

        assertThat(json(200, "POST", "/v1/batches/" + batchId + "/cancel", "")
                        .path("status")
                        .asString(""))
                .startsWith("cancel");
        ObjectNode batch = awaitStatus(batchId, "cancelled");

        int completed = batch.path("request_counts").path("completed").asInt(0);
        assertThat(completed).isBetween(2, 401);
        assertThat(customIds(batch.path("output_file_id").asString(""))).hasSize(completed);
    }

    @Test
    void aBatchThatWaitsIsCancelledAtOnce() throws IOException, InterruptedException {
        start(withFolder());
        String fileId = upload(lines(400, ",\"max_tokens\":200"));
        String running = createBatch(fileId);
        awaitStatus(running, "in_progress");
        String waiting = createBatch(fileId);

        assertThat(json(200, "POST", "/v1/batches/" + waiting + "/cancel", "")
                        .path("status")
                        .asString(""))
                .isEqualTo("cancelled");

        assertThat(get("/v1/batches/" + running).path("status").asString("")).isEqualTo("in_progress");
    }

    @Test
    void aBatchWhoseTimeIsOverSaysSoOfEachLine() throws IOException, InterruptedException {
        // Nothing runs before the model is ready.
        server = MixtralServer.start(withFolder().port(0).build(), ServerObserver.NONE, "test");
        String batchId = createBatch(upload(lines(2, "")));
        server().close();
        Path file = folder.resolve("batches").resolve(batchId + ".json");
        Files.writeString(file, Files.readString(file).replaceAll("\"expires_at\":\\d+", "\"expires_at\":1"));

        start(withFolder());
        ObjectNode batch = awaitStatus(batchId, "expired");

        assertThat(batch.path("output_file_id").isNull()).isTrue();
        assertThat(customIds(batch.path("error_file_id").asString(""))).isEqualTo(ids(2));
    }

    @Test
    void eachKeySeesItsOwn() throws IOException, InterruptedException {
        start(withFolder()
                .apiKeys(List.of(new ApiKey("alice", "a", Set.of()), new ApiKey("bob", "b", Set.of("other")))));
        key = "a";
        String file = upload(lines(1, ""));
        String batch = createBatch(file);
        awaitStatus(batch, "completed");

        key = "b";
        json(404, "GET", "/v1/files/" + file, "");
        json(404, "GET", "/v1/batches/" + batch, "");
        assertThat(get("/v1/files").path("data")).isEmpty();
        // A batch may use the models that its key may, and no others.
        ObjectNode forbidden = awaitStatus(createBatch(upload(lines(1, ""))), "completed");
        assertThat(send(
                                "GET",
                                "/v1/files/" + forbidden.path("error_file_id").asString("") + "/content",
                                "text/plain",
                                "")
                        .body())
                .contains("\"status_code\":403");
        key = "";
        json(401, "GET", "/v1/files", "");
    }
}

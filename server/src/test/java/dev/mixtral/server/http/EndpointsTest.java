package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.ApiKey;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;

/// The endpoints beside generation, keys, CORS, and what is no endpoint.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EndpointsTest {
    private static final String BODY = "{\"model\":\"scripted\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private TestServer server;

    @BeforeAll
    void start() throws Exception {
        server = TestServer.of(new ScriptedModel(Script.saying("Hi")).served("mistralai/scripted"));
    }

    @AfterAll
    void stop() {
        server.close();
    }

    @Test
    void modelsHaveEveryDialectsFields() throws Exception {
        for (String path : List.of("/v1/models", "/api/v1/models", "/v1/models/", "//v1//models?limit=5&offset=0")) {
            JsonNode list = server.get(path).json();
            assertThat(list.path("object").asString()).isEqualTo("list");
            assertThat(list.at("/links/next").isNull()).isTrue();
            assertThat(list.path("total_count").asInt()).isEqualTo(1);
            JsonNode card = list.at("/data/0");
            assertThat(card.properties().stream().map(entry -> entry.getKey()))
                    .contains(
                            "id",
                            "object",
                            "created",
                            "owned_by",
                            "root",
                            "parent",
                            "name",
                            "description",
                            "type",
                            "aliases",
                            "capabilities",
                            "max_context_length",
                            "context_length",
                            "max_model_len",
                            "default_model_temperature",
                            "deprecation",
                            "canonical_slug",
                            "hugging_face_id",
                            "architecture",
                            "pricing",
                            "top_provider",
                            "per_request_limits",
                            "supported_parameters",
                            "default_parameters",
                            "supported_voices",
                            "links");
            assertThat(card.path("context_length").asInt()).isEqualTo(4096);
            assertThat(card.path("supported_parameters").valueStream().map(JsonNode::asString))
                    .contains("response_format", "structured_outputs", "tools", "tool_choice");
        }
        assertThat(server.get("/v1/models?offset=1").json().path("data")).isEmpty();
        assertThat(server.get("/v1/models?limit=x").status()).isEqualTo(400);
    }

    @Test
    void aModelsNameMayHoldASlash() throws Exception {
        for (String path : List.of(
                "/v1/models/scripted",
                "/v1/models/mistralai/scripted",
                "/v1/models/mistralai%2Fscripted",
                "/api/v1/models/mistralai%2fscripted/")) {
            assertThat(server.get(path).json().path("id").asString())
                    .describedAs(path)
                    .isEqualTo("scripted");
        }
        Answer unknown = server.get("/v1/models/nope");
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(unknown.json().at("/error/code").asString()).isEqualTo("model_not_found");
        assertThat(unknown.json().at("/error/message").asString())
                .isEqualTo("The model `nope` does not exist or you do not have access to it.");
    }

    @Test
    void unknownModelsAreNamedInTheDialectsWords() throws Exception {
        String body = BODY.replace("scripted", "nope");
        Answer openAi = server.post("/v1/chat/completions", body);
        assertThat(openAi.status()).isEqualTo(404);
        assertThat(openAi.json().at("/error/param").asString()).isEqualTo("model");
        assertThat(server.post("/api/v1/chat/completions", body).status()).isEqualTo(400);
        Answer missing = server.post("/v1/chat/completions", "{\"messages\":[]}");
        assertThat(missing.json().at("/error/message").asString()).isEqualTo("Missing required parameter: 'model'.");
    }

    @Test
    void chatIsReachedUnderEveryPath() throws Exception {
        for (String path : List.of(
                "/v1/chat/completions",
                "/chat/completions",
                "/api/v1/chat/completions",
                "/v1/chat/completions/",
                "//v1/chat//completions",
                "/v1/chat/completions?x=1")) {
            assertThat(server.post(path, BODY).status()).describedAs(path).isEqualTo(200);
        }
    }

    @Test
    void probesAnswerWithoutAModel() throws Exception {
        for (String path : List.of("/health", "/healthz", "/livez", "/readyz")) {
            assertThat(server.get(path).text()).isEqualTo("{\"status\":\"ok\"}");
            Answer head = server.send("HEAD", path, new byte[0]);
            assertThat(head.status()).isEqualTo(200);
            assertThat(head.text()).isEmpty();
            assertThat(head.header("content-length")).isEqualTo("15");
        }
        Answer metrics = server.get("/metrics");
        assertThat(metrics.header("content-type")).startsWith("text/plain; version=0.0.4");
        assertThat(metrics.text()).isEqualTo("up 1\n");
    }

    @Test
    void textBecomesTokensAndBack() throws Exception {
        JsonNode tokens = server.post("/tokenize", "{\"content\":\"Hello there\",\"with_pieces\":true}")
                .json();
        assertThat(tokens.path("count").asInt()).isEqualTo(tokens.path("tokens").size());
        assertThat(tokens.path("pieces").size()).isEqualTo(tokens.path("count").asInt());
        assertThat(tokens.path("max_model_len").asInt()).isEqualTo(4096);
        JsonNode text = server.post("/detokenize", "{\"tokens\":" + tokens.path("tokens") + "}")
                .json();
        assertThat(text.path("content").asString()).isEqualTo("Hello there");
        assertThat(text.path("prompt")).isEqualTo(text.path("content"));
        JsonNode special = server.post("/v1/tokenize", "{\"prompt\":\"Hello\",\"add_special_tokens\":true}")
                .json();
        assertThat(special.at("/tokens/0").asInt()).isEqualTo(1);
        JsonNode chat = server.post("/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"[INST] </s>\"}]}")
                .json();
        assertThat(chat.at("/tokens/0").asInt()).isEqualTo(1);
        assertThat(chat.path("tokens").valueStream().filter(id -> id.asInt() == 2))
                .describedAs("look-alikes of control tokens are text")
                .isEmpty();
        assertThat(server.post("/detokenize", "{\"tokens\":[99999]}").status()).isEqualTo(400);
        assertThat(server.post("/tokenize", "{}").json().at("/error/code").asString())
                .isEqualTo("missing_required_parameter");
    }

    @Test
    void whatAMixtralCannotDoIsSaid() throws Exception {
        Answer embeddings = server.post("/v1/embeddings", "{\"model\":\"scripted\",\"input\":\"x\"}");
        assertThat(embeddings.status()).isEqualTo(400);
        assertThat(embeddings.json().at("/error/code").asString()).isEqualTo("model_not_supported");
        Answer fim = server.post("/v1/fim/completions", "{\"model\":\"scripted\",\"prompt\":\"x\",\"suffix\":\"y\"}");
        assertThat(fim.status()).isEqualTo(400);
        assertThat(server.post("/v1/fim/completions", "{\"model\":\"scripted\",\"prompt\":\"x\",\"suffix\":\"\"}")
                        .json()
                        .at("/choices/0/message/content")
                        .asString())
                .isEqualTo("Hi");
    }

    @Test
    void openRoutersQuestionsHaveAnswers() throws Exception {
        assertThat(server.get("/api/v1/key").json().at("/data/limit").isNull()).isTrue();
        assertThat(server.get("/api/v1/credits")
                        .json()
                        .at("/data/total_credits")
                        .isNumber())
                .isTrue();
        assertThat(server.get("/api/v1/providers").json().at("/data/0/slug").asString())
                .isEqualTo("self");
        assertThat(server.get("/api/v1/models/mistralai/scripted/endpoints")
                        .json()
                        .at("/data/endpoints/0/provider_name")
                        .asString())
                .isEqualTo("self");
        assertThat(server.get("/api/v1/models/mistralai/scripted/endpoints")
                        .json()
                        .at("/data/endpoints/0/supports_tool_choice/required")
                        .asBoolean())
                .isTrue();
        assertThat(server.get("/api/v1/models/count").json().at("/data/count").asInt())
                .isEqualTo(1);
        assertThat(server.get("/api/v1/models/user").json().at("/data/0/id").asString())
                .isEqualTo("scripted");
        assertThat(server.get("/api/v1/model/mistralai/scripted")
                        .json()
                        .at("/data/id")
                        .asString())
                .isEqualTo("scripted");
        assertThat(server.get("/api/v1/model/mistralai/other").status()).isEqualTo(404);
        assertThat(server.get("/api/v1/generation?id=gen-1").status()).isEqualTo(404);
        assertThat(server.get("/version").json().path("version").asString()).isEqualTo("0-test");
        assertThat(server.get("/props").json().path("context_length").asInt()).isEqualTo(4096);
    }

    @Test
    void whatIsNoEndpointIsAJsonError() throws Exception {
        Answer missing = server.post("/v1/nothing", "{}");
        assertThat(missing.status()).isEqualTo(404);
        assertThat(missing.json().at("/error/message").asString()).isEqualTo("Invalid URL (POST /v1/nothing)");
        assertThat(missing.json().at("/error/code").isNull()).isTrue();
        Answer wrong = server.get("/v1/chat/completions");
        assertThat(wrong.status()).isEqualTo(405);
        assertThat(wrong.header("allow")).isEqualTo("OPTIONS, POST");
        assertThat(wrong.json().at("/error/code").asString()).isEqualTo("method_not_supported");
        assertThat(server.send("DELETE", "/v1/models", new byte[0]).header("allow"))
                .isEqualTo("GET, HEAD, OPTIONS");
    }

    @Test
    void preflightsEchoTheHeadersThatAreAskedFor() throws Exception {
        Answer preflight = server.send(
                "OPTIONS",
                "/v1/chat/completions",
                new byte[0],
                "Access-Control-Request-Headers",
                "authorization, x-stainless-os");
        assertThat(preflight.status()).isEqualTo(204);
        assertThat(preflight.header("access-control-allow-origin")).isEqualTo("*");
        assertThat(preflight.header("access-control-allow-methods")).isEqualTo("GET, POST, DELETE, OPTIONS");
        assertThat(preflight.header("access-control-allow-headers")).isEqualTo("authorization, x-stainless-os");
        assertThat(preflight.header("access-control-max-age")).isEqualTo("86400");
        for (Answer answer : List.of(server.get("/v1/models"), server.get("/nothing"), server.post("/v1/models", ""))) {
            assertThat(answer.header("access-control-allow-origin")).isEqualTo("*");
            assertThat(answer.header("access-control-expose-headers")).contains("x-request-id", "retry-after");
            assertThat(answer.header("x-request-id")).isNotEmpty();
        }
        try (TestServer closed =
                TestServer.of(new ScriptedModel(Script.saying("x")).served(), builder -> builder.corsOrigin(""))) {
            assertThat(closed.get("/v1/models").header("access-control-allow-origin"))
                    .isEmpty();
        }
    }

    @Test
    void keysAreAskedForAndNeverShown() throws Exception {
        List<ApiKey> keys =
                List.of(new ApiKey("alice", "sk-alice", Set.of()), new ApiKey("bob", "sk-bob", Set.of("another")));
        try (TestServer locked =
                TestServer.of(new ScriptedModel(Script.saying("Hi")).served(), builder -> builder.apiKeys(keys))) {
            Answer none = locked.post("/v1/chat/completions", "not even JSON");
            assertThat(none.status()).isEqualTo(401);
            assertThat(none.header("www-authenticate")).isEqualTo("Bearer");
            assertThat(none.json().at("/error/code").isNull()).isTrue();
            Answer wrong = locked.post("/v1/chat/completions", BODY, "authorization", "Bearer sk-mallory");
            assertThat(wrong.status()).isEqualTo(401);
            assertThat(wrong.json().at("/error/code").asString()).isEqualTo("invalid_api_key");
            assertThat(wrong.text()).doesNotContain("mallory");
            for (String[] shown : new String[][] {
                {"authorization", "Bearer sk-alice"}, {"authorization", "bEaReR  sk-alice "}, {"x-api-key", "sk-alice"}
            }) {
                assertThat(locked.post("/v1/chat/completions", BODY, shown).status())
                        .isEqualTo(200);
            }
            assertThat(locked.get("/v1/models").status()).isEqualTo(401);
            assertThat(locked.get("/health").status()).isEqualTo(200);
            assertThat(locked.get("/livez").status()).isEqualTo(200);
            assertThat(locked.get("/metrics").status()).isEqualTo(200);
            assertThat(locked.send("OPTIONS", "/v1/models", new byte[0]).status())
                    .isEqualTo(204);
            Answer forbidden = locked.post("/v1/chat/completions", BODY, "authorization", "Bearer sk-bob");
            assertThat(forbidden.status()).isEqualTo(403);
            assertThat(forbidden.json().at("/error/type").asString()).isEqualTo("permission_error");
            assertThat(locked.get("/v1/models", "x-api-key", "sk-bob").json().path("data"))
                    .isEmpty();
        }
        try (TestServer strict = TestServer.of(
                new ScriptedModel(Script.saying("Hi")).served(),
                builder -> builder.apiKeys(keys).protectMetrics(true))) {
            assertThat(strict.get("/metrics").status()).isEqualTo(401);
            assertThat(strict.get("/metrics", "x-api-key", "sk-bob").status()).isEqualTo(200);
        }
    }

    @Test
    void withoutKeysAnyKeyWillDo() throws Exception {
        assertThat(server.post("/v1/chat/completions", BODY, "authorization", "Bearer whatever")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void thePageIsSentWithAStrictPolicy() throws Exception {
        Answer page = server.get("/");
        assertThat(page.status()).isEqualTo(200);
        assertThat(page.header("content-type")).isEqualTo("text/html; charset=utf-8");
        assertThat(page.header("content-security-policy")).contains("default-src 'none'", "script-src 'self'");
        assertThat(page.header("content-security-policy")).doesNotContain("unsafe");
        String etag = page.header("etag");
        assertThat(server.get("/", "if-none-match", etag).status()).isEqualTo(304);
        assertThat(server.get("/style.css").header("content-type")).isEqualTo("text/css; charset=utf-8");
        for (String path : List.of(
                "/../pom.xml",
                "/%2e%2e/pom.xml",
                "/..%2f..%2fetc/passwd",
                "/web/../../x",
                "/dev/mixtral/server/openapi.json",
                "/.hidden",
                "/index.html%00.png")) {
            assertThat(server.send("GET", path, new byte[0]).status())
                    .describedAs(path)
                    .isEqualTo(404);
        }
    }
}

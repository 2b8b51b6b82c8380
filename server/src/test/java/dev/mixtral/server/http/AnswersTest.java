package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.engine.OutputConstraint;
import dev.mixtral.error.OverloadedException;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.RequestReport;
import dev.mixtral.server.RequestReport.Generated;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers in one piece, and which model gives them.
class AnswersTest {
    private static final String CHAT = "/v1/chat/completions";

    private static String chat(String more) {
        return "{\"model\":\"scripted\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
                + (more.isEmpty() ? "" : "," + more) + "}";
    }

    private static JsonNode ask(Script script, String path, String body) throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(script).served())) {
            Answer answer = server.post(path, body);
            assertThat(answer.status()).describedAs(answer.text()).isEqualTo(200);
            assertThat(answer.header("content-type")).isEqualTo("application/json");
            return answer.json();
        }
    }

    private static String comparable(JsonNode answer) {
        ObjectNode node = (ObjectNode) answer;
        assertThat(node.path("created").isIntegralNumber()).isTrue();
        node.remove(List.of("id", "created"));
        return node.toString();
    }

    @Test
    void aChatCompletionHasItsKeysInThisShape() throws Exception {
        assertThat(comparable(ask(Script.saying("Hel", "lo"), CHAT, chat("")))).isEqualTo("""
                {"object":"chat.completion","model":"scripted","system_fingerprint":"fp_0123456789ab",\
                "choices":[{"index":0,"message":{"role":"assistant","content":"Hello","refusal":null},"logprobs":null,"finish_reason":"stop"}],\
                "usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},\
                "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0},"num_cached_tokens":4}}""");
    }

    @Test
    void usageCountsThePromptOnceAndAllChoices() throws Exception {
        JsonNode answer = ask(Script.saying("Hi"), CHAT, chat("\"n\":3"));
        assertThat(answer.path("choices")).hasSize(3);
        assertThat(answer.at("/choices/2/index").asInt()).isEqualTo(2);
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(9);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(9);
    }

    @Test
    void callsAreBesideANullContent() throws Exception {
        String tools = "\"tools\":[{\"function\":{\"name\":\"f\"}}]";
        JsonNode choice = ask(Script.calling("f", "{}"), CHAT, chat(tools)).at("/choices/0");
        assertThat(choice.path("finish_reason").asString()).isEqualTo("tool_calls");
        assertThat(choice.at("/message/content").isNull()).isTrue();
        assertThat(choice.at("/message/tool_calls/0/type").asString()).isEqualTo("function");
        assertThat(choice.at("/message/tool_calls/0/function/arguments").asString())
                .isEqualTo("{}");
        Script both = Script.of(
                new Started(0),
                ScriptedModel.text("Let me see."),
                new ToolCalls(List.of(new ToolCall(null, "f", "{}"))),
                ScriptedModel.end(FinishReason.LENGTH));
        JsonNode second = ask(both, CHAT, chat(tools)).at("/choices/0");
        assertThat(second.at("/message/content").asString()).isEqualTo("Let me see.");
        assertThat(second.path("finish_reason").asString())
                .describedAs("a completed call counts, whatever came after it")
                .isEqualTo("tool_calls");
        JsonNode none = ask(Script.saying("No."), CHAT, chat(tools)).at("/choices/0");
        assertThat(none.path("message").has("tool_calls")).isFalse();
        assertThat(none.path("finish_reason").asString()).isEqualTo("stop");
    }

    @Test
    void equalRequestsWithASeedGetEqualCallIds() throws Exception {
        String tools = "\"tools\":[{\"function\":{\"name\":\"f\"}}]";
        String id = "/choices/0/message/tool_calls/0/id";
        JsonNode first = ask(Script.calling("f", "{}"), CHAT, chat(tools + ",\"seed\":1"))
                .at(id);
        assertThat(ask(Script.calling("f", "{}"), CHAT, chat(tools + ",\"seed\":1"))
                        .at(id))
                .isEqualTo(first);
        assertThat(ask(Script.calling("f", "{}"), CHAT, chat(tools + ",\"seed\":2"))
                        .at(id))
                .isNotEqualTo(first);
        assertThat(first.asString()).matches("[a-zA-Z0-9]{9}");
    }

    @Test
    void callsAreBannedUnlessTheyMayCome() throws Exception {
        ScriptedModel model = new ScriptedModel(Script.saying("Hi"));
        int call = model.tokenizer().controlId("[TOOL_CALLS]").orElseThrow();
        try (TestServer server = TestServer.of(model.served())) {
            server.post(CHAT, chat(""));
            server.post(CHAT, chat("\"tools\":[{\"function\":{\"name\":\"f\"}}]"));
            server.post(CHAT, chat("\"tools\":[{\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"none\""));
        }
        assertThat(model.requests.stream()
                        .map(request -> request.params().logitBias().containsKey(call)))
                .containsExactly(true, false, true);
        assertThat(model.requests.stream().map(request -> request.prompt().length))
                .describedAs("tool_choice none still shows the tools")
                .satisfies(lengths -> assertThat(lengths.get(2)).isEqualTo(lengths.get(1)));
    }

    @Test
    void formsAndToolsBindWhatIsGenerated() throws Exception {
        ScriptedModel model = new ScriptedModel(Script.saying("x"));
        String tools = "\"tools\":[{\"function\":{\"name\":\"f\"}}]";
        String format = "\"response_format\":{\"type\":\"json_object\"}";
        try (TestServer server = TestServer.of(model.served())) {
            for (String fields : List.of(
                    "",
                    format,
                    tools,
                    tools + "," + format,
                    tools + ",\"tool_choice\":\"none\"",
                    tools + ",\"tool_choice\":\"required\"," + format)) {
                assertThat(server.post(CHAT, chat(fields)).status()).isEqualTo(200);
            }
        }
        List<OutputConstraint> constraints =
                model.requests.stream().map(GenerationRequest::constraint).toList();
        assertThat(constraints.get(0)).isNull();
        assertThat(constraints.get(1)).isInstanceOf(OutputConstraint.Text.class);
        assertThat(constraints.get(2))
                .isInstanceOfSatisfying(
                        OutputConstraint.TextOrCalls.class,
                        either -> assertThat(either.text()).isNull());
        assertThat(constraints.get(3))
                .isInstanceOfSatisfying(
                        OutputConstraint.TextOrCalls.class,
                        either -> assertThat(either.text()).isNotNull());
        assertThat(constraints.get(4)).isNull();
        assertThat(constraints.get(5)).isInstanceOf(OutputConstraint.Calls.class);
    }

    @Test
    void aPrefixComesBackAndAPrefillDoesNot() throws Exception {
        String body = "{\"model\":\"scripted\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},"
                + "{\"role\":\"assistant\",\"content\":\"Well,\"%s}]}";
        ScriptedModel model = new ScriptedModel(Script.saying(" yes"));
        try (TestServer server = TestServer.of(model.served())) {
            String path = "/choices/0/message/content";
            assertThat(server.post(CHAT, body.formatted(",\"prefix\":true"))
                            .json()
                            .at(path)
                            .asString())
                    .isEqualTo("Well, yes");
            assertThat(server.post(CHAT, body.formatted("")).json().at(path).asString())
                    .isEqualTo(" yes");
        }
        assertThat(model.requests).allMatch(request -> request.continuation());
        int[] prompt = model.requests.element().prompt();
        assertThat(prompt[prompt.length - 1]).isNotEqualTo(model.tokenizer().eosId());
        assertThat(model.tokenizer().decode(prompt)).endsWith("Well,");
    }

    @Test
    void openRouterAnswersSayWhoAndWhatItCost() throws Exception {
        JsonNode answer = ask(Script.saying("Hi"), "/api/v1/chat/completions", chat(""));
        assertThat(answer.path("id").asString()).startsWith("gen-");
        assertThat(answer.path("provider").asString()).isEqualTo("self");
        assertThat(answer.at("/usage/cost").isNumber()).isTrue();
        assertThat(answer.at("/usage/cost_details/upstream_inference_cost").isNumber())
                .isTrue();
        assertThat(answer.at("/choices/0/native_finish_reason").asString()).isEqualTo("stop");
    }

    @Test
    void theDialectCanBeChosenByAHeader() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("Hi")).served())) {
            Answer answer = server.post(CHAT, chat(""), "X-API-Dialect", "OpenRouter");
            assertThat(answer.json().has("provider")).isTrue();
            Answer other = server.post("/api/v1/chat/completions", chat(""), "x-api-dialect", "openai");
            assertThat(other.json().has("provider")).isFalse();
        }
    }

    @Test
    void fallbacksAreTriedInTheirOrder() throws Exception {
        String body = "{\"models\":[\"nope\",\"scripted\"],\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]%s}";
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("Hi")).served("other"))) {
            String path = "/api/v1/chat/completions";
            assertThat(server.post(path, body.formatted(""))
                            .json()
                            .path("model")
                            .asString())
                    .isEqualTo("scripted");
            assertThat(server.post(path, body.formatted(",\"model\":\"other\""))
                            .json()
                            .path("model")
                            .asString())
                    .isEqualTo("scripted");
            Answer none = server.post(
                    path, "{\"model\":\"a\",\"models\":[\"b\"],\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
            assertThat(none.status()).isEqualTo(400);
            assertThat(none.json().at("/error/message").asString()).isEqualTo("a is not a valid model ID");
            assertThat(none.json().at("/error/code").asInt()).isEqualTo(400);
            Answer unnamed = server.post(path, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");
            assertThat(unnamed.json().path("model").asString()).isEqualTo("scripted");
        }
    }

    @Test
    void openRoutersPromptIsAnsweredWithAText() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("Hi")).served())) {
            String body = "{\"model\":\"scripted\",\"prompt\":\"Say hi.\"}";
            JsonNode answer = server.post("/api/v1/chat/completions", body).json();
            assertThat(answer.path("object").asString()).isEqualTo("text_completion");
            assertThat(answer.at("/choices/0/text").asString()).isEqualTo("Hi");
            JsonNode refused = server.post("/v1/chat/completions", body).json();
            assertThat(refused.at("/error/param").asString()).isEqualTo("messages");
        }
    }

    @Test
    void wishesForOtherProvidersAreNotServed() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("Hi")).served())) {
            for (String wish : List.of(
                    "{\"only\":[\"azure\"]}",
                    "{\"ignore\":[\"self\"]}",
                    "{\"order\":[\"azure\"],\"allow_fallbacks\":false}",
                    "{\"max_price\":{\"prompt\":-1}}")) {
                Answer answer = server.post("/api/v1/chat/completions", chat("\"provider\":" + wish));
                assertThat(answer.status()).isEqualTo(404);
                assertThat(answer.json().at("/error/message").asString())
                        .isEqualTo("No allowed providers are available for the selected model.");
            }
            for (String wish : List.of(
                    "{\"only\":[\"self\"]}",
                    "{\"order\":[\"azure\"]}",
                    "{\"sort\":\"price\",\"max_price\":{\"prompt\":\"0\"}}",
                    "{}")) {
                assertThat(server.post("/api/v1/chat/completions", chat("\"provider\":" + wish))
                                .status())
                        .isEqualTo(200);
            }
            Answer wrong = server.post("/api/v1/chat/completions", chat("\"provider\":{\"only\":\"self\"}"));
            assertThat(wrong.json().at("/error/param").asString()).isEqualTo("provider.only");
        }
    }

    @Test
    void aliasesAreAnsweredUnderTheModelsOwnName() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("Hi")).served("a/b", "*"))) {
            assertThat(server.post(CHAT, chat("").replace("scripted", "a/b"))
                            .json()
                            .path("model")
                            .asString())
                    .isEqualTo("scripted");
            assertThat(server.post(CHAT, chat("").replace("scripted", "gpt-4o")).status())
                    .isEqualTo(200);
        }
    }

    @Test
    void textCompletionsHaveTheirOwnShape() throws Exception {
        JsonNode answer = ask(
                Script.saying(" a", " time"),
                "/v1/completions",
                "{\"model\":\"scripted\",\"prompt\":[\"Once\",\"Twice\"],\"n\":2,\"echo\":true}");
        assertThat(answer.path("id").asString()).startsWith("cmpl-");
        assertThat(comparable(answer)).startsWith("""
                {"object":"text_completion","model":"scripted","system_fingerprint":"fp_0123456789ab",\
                "choices":[{"index":0,"text":"Once a time","logprobs":null,"finish_reason":"stop"},""");
        assertThat(answer.at("/choices/2/text").asString()).isEqualTo("Twice a time");
        assertThat(answer.at("/choices/3/index").asInt()).isEqualTo(3);
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(18);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(12);
    }

    @Test
    void textLogprobsAreParallelArrays() throws Exception {
        ScriptedModel model = new ScriptedModel(Script.saying());
        int id = model.tokenizer().encode("time")[0];
        Script script = Script.of(
                new Started(0),
                new TextDelta(
                        model.tokenizer().decode(new int[] {id}),
                        List.of(new TokenLogprob(id, -0.5, List.of(new TokenLogprob.Candidate(id, -0.5))))),
                ScriptedModel.end(FinishReason.STOP));
        JsonNode logprobs = ask(
                        script,
                        "/v1/completions",
                        "{\"model\":\"scripted\",\"prompt\":\"Once\",\"echo\":true,\"logprobs\":1}")
                .at("/choices/0/logprobs");
        int numPrompt = model.tokenizer().encode("Once").length;
        assertThat(logprobs.path("tokens")).hasSize(numPrompt + 1);
        assertThat(logprobs.at("/token_logprobs/0").isNull()).isTrue();
        assertThat(logprobs.path("token_logprobs").get(numPrompt).asDouble()).isEqualTo(-0.5);
        assertThat(logprobs.path("text_offset").get(numPrompt).asInt()).isEqualTo("Once".length());
        assertThat(logprobs.path("top_logprobs").get(numPrompt)).hasSize(1);
    }

    @Test
    void bestOfReturnsTheMostProbable() throws Exception {
        ScriptedModel model = new ScriptedModel((request, choice) -> Script.of(
                new Started(0),
                new TextDelta("t" + choice, List.of(new TokenLogprob(5, choice == 1 ? -0.1 : -2, List.of()))),
                ScriptedModel.end(FinishReason.STOP)));
        try (TestServer server = TestServer.of(model.served())) {
            JsonNode answer = server.post("/v1/completions", "{\"model\":\"scripted\",\"prompt\":\"x\",\"best_of\":3}")
                    .json();
            assertThat(answer.path("choices")).hasSize(1);
            assertThat(answer.at("/choices/0/text").asString()).isEqualTo("t1");
            assertThat(answer.at("/choices/0/logprobs").isNull()).isTrue();
            assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(9);
        }
    }

    @Test
    void textStreamsHaveNoRole() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying(" a", "b")).served())) {
            Answer answer = server.post(
                    "/v1/completions",
                    "{\"model\":\"scripted\",\"prompt\":\"x\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
            assertThat(answer.chunks().stream()
                            .map(chunk -> chunk.at("/choices/0/text").asString("-")))
                    .containsExactly(" a", "b", "", "-");
            assertThat(answer.chunks().get(2).at("/choices/0/finish_reason").asString())
                    .isEqualTo("stop");
            assertThat(answer.chunks().getLast().at("/usage/total_tokens").asInt())
                    .isEqualTo(12);
            assertThat(answer.events().getLast()).isEqualTo("[DONE]");
        }
    }

    @Test
    void aFullQueueIsToldWithATimeToComeBack() throws Exception {
        ScriptedModel model = new ScriptedModel((request, choice) -> {
            throw new OverloadedException("64 requests are waiting", 12);
        });
        try (TestServer server = TestServer.of(model.served())) {
            Answer answer = server.post(CHAT, chat(""));
            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.header("retry-after")).isEqualTo("12");
            assertThat(answer.header("retry-after-ms")).isEqualTo("12000");
            assertThat(answer.json().at("/error/type").asString()).isEqualTo("rate_limit_error");
            assertThat(answer.json().at("/error/code").asString()).isEqualTo("rate_limit_exceeded");
        }
    }

    @Test
    void aDefectIsToldWithTheRequestsId() throws Exception {
        ScriptedModel model = new ScriptedModel((request, choice) -> {
            throw new IllegalStateException("secret detail");
        });
        try (TestServer server = TestServer.of(model.served())) {
            Answer answer = server.post(CHAT, chat(""));
            assertThat(answer.status()).isEqualTo(500);
            assertThat(answer.text()).contains(answer.header("x-request-id")).doesNotContain("secret");
            assertThat(answer.header("x-should-retry")).isEqualTo("false");
            assertThat(server.get("/health").status()).isEqualTo(200);
        }
    }

    @Test
    void aPromptBeyondTheContextNamesBothLengths() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("x")).served())) {
            String body = chat("").replace("Hi", "a b c ".repeat(3000));
            JsonNode answer = server.post(CHAT, body).json();
            assertThat(answer.at("/error/code").asString()).isEqualTo("context_length_exceeded");
            assertThat(answer.at("/error/param").asString()).isEqualTo("messages");
            assertThat(answer.at("/error/message").asString())
                    .matches("This model's maximum context length is 4096 tokens\\. However, your messages resulted in"
                            + " \\d+ tokens\\. Please reduce the length of the messages\\.");
        }
    }

    @Test
    void noTokensAtAllIsAnAnswerToo() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("x")).served())) {
            JsonNode answer = server.post(CHAT, chat("\"max_tokens\":0"), "user-agent", "mistral-client-python/1")
                    .json();
            assertThat(answer.at("/choices/0/message/content").asString("?")).isEmpty();
            assertThat(answer.at("/choices/0/finish_reason").asString()).isEqualTo("length");
            assertThat(answer.at("/usage/completion_tokens").asInt()).isZero();
        }
    }

    @Test
    void everyRequestIsReportedWithoutItsContent() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("Hi")).served())) {
            String id = server.post(CHAT, chat("")).header("x-request-id");
            RequestReport report = server.report();
            assertThat(report.requestId()).isEqualTo(id).matches("req_[0-9a-f]{32}");
            assertThat(report.endpoint()).isEqualTo(CHAT);
            assertThat(report.status()).isEqualTo(200);
            assertThat(report.model()).isEqualTo("scripted");
            Generated generated = Objects.requireNonNull(report.generation());
            assertThat(generated.numPromptTokens()).isEqualTo(9);
            assertThat(generated.finishReasons()).containsExactly("stop");
            assertThat(generated.ttftNanos()).isEqualTo(2_000_000);
            assertThat(generated.tpotNanos()).isEqualTo(3_000_000);
        }
    }
}

package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.error.EngineFailedException;
import dev.mixtral.error.OverloadedException;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.sampling.TokenLogprob.Candidate;
import dev.mixtral.server.KeepAlive;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.ScriptedModel.Step;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The bytes of event streams, row by row, as the three kinds of clients want them.
class StreamsTest {
    private static final String OPENAI = "/v1/chat/completions";
    private static final String OPENROUTER = "/api/v1/chat/completions";
    private static final String[] MISTRAL = {"user-agent", "mistral-client-typescript/2.7.0"};
    private static final String TOOLS =
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]";

    private static String chat(String more) {
        return "{\"model\":\"scripted\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
                + (more.isEmpty() ? "" : "," + more) + "}";
    }

    private static Answer ask(Script script, String path, String body, String... headers) throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(script).served())) {
            Answer answer = server.post(path, body, headers);
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.header("content-type")).isEqualTo("text/event-stream; charset=utf-8");
            assertThat(answer.header("cache-control")).isEqualTo("no-cache");
            assertThat(answer.header("x-accel-buffering")).isEqualTo("no");
            return answer;
        }
    }

    /// Returns the chunks without what differs from request to request, one per line.
    private static String rows(Answer answer) {
        StringBuilder rows = new StringBuilder();
        for (JsonNode chunk : answer.chunks()) {
            ObjectNode row = (ObjectNode) chunk;
            row.remove(List.of("id", "created", "object", "model", "system_fingerprint"));
            rows.append(row).append('\n');
        }
        return rows.toString();
    }

    @Test
    void openAiRowsWithoutUsage() throws Exception {
        Answer answer = ask(Script.saying("Hel", "lo"), OPENAI, chat(""));
        assertThat(rows(answer)).isEqualTo("""
                {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}
                {"choices":[{"index":0,"delta":{"content":"Hel"},"logprobs":null,"finish_reason":null}]}
                {"choices":[{"index":0,"delta":{"content":"lo"},"logprobs":null,"finish_reason":null}]}
                {"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}
                """);
        assertThat(answer.events().getLast()).isEqualTo("[DONE]");
        assertThat(answer.text().lines().filter(line -> !line.isEmpty())).allMatch(line -> line.startsWith("data: "));
    }

    @Test
    void everyChunkSaysTheSameOfTheWhole() throws Exception {
        List<JsonNode> chunks =
                ask(Script.saying("Hel", "lo"), OPENAI, chat("")).chunks();
        JsonNode first = chunks.getFirst();
        assertThat(first.path("id").asString()).startsWith("chatcmpl-");
        assertThat(first.path("created").isInt()).isTrue();
        for (JsonNode chunk : chunks) {
            assertThat(chunk.path("id")).isEqualTo(first.path("id"));
            assertThat(chunk.path("created")).isEqualTo(first.path("created"));
            assertThat(chunk.path("model").asString()).isEqualTo("scripted");
            assertThat(chunk.path("object").asString()).isEqualTo("chat.completion.chunk");
            assertThat(chunk.path("system_fingerprint").asString()).isEqualTo("fp_0123456789ab");
        }
    }

    @Test
    void openAiUsageIsARowOfItsOwn() throws Exception {
        Answer answer = ask(Script.saying("Hi"), OPENAI, chat("\"stream_options\":{\"include_usage\":true}"));
        List<JsonNode> chunks = answer.chunks();
        for (JsonNode chunk : chunks.subList(0, chunks.size() - 1)) {
            assertThat(chunk.has("usage")).isTrue();
            assertThat(chunk.path("usage").isNull()).isTrue();
        }
        JsonNode last = chunks.getLast();
        assertThat(last.path("choices")).isEmpty();
        assertThat(last.path("usage").path("total_tokens").asInt()).isEqualTo(12);
        assertThat(last.at("/usage/prompt_tokens_details/cached_tokens").asInt())
                .isEqualTo(4);
    }

    @Test
    void mistralUsageIsBesideTheFinishReason() throws Exception {
        Answer answer = ask(Script.saying("Hi"), OPENAI, chat("\"stream_options\":{\"include_usage\":true}"), MISTRAL);
        List<JsonNode> chunks = answer.chunks();
        assertThat(chunks).hasSize(3);
        assertThat(chunks.subList(0, 2)).noneMatch(chunk -> chunk.has("usage"));
        assertThat(chunks.getLast().at("/choices/0/finish_reason").asString()).isEqualTo("stop");
        assertThat(chunks.getLast().at("/choices/0/delta/content").asString()).isEmpty();
        assertThat(chunks.getLast().at("/usage/num_cached_tokens").asInt()).isEqualTo(4);
        assertThat(answer.events().getLast()).isEqualTo("[DONE]");
    }

    @Test
    void openRouterUsageIsAlwaysThere() throws Exception {
        Answer answer = ask(Script.saying("Hi"), OPENROUTER, chat(""), MISTRAL);
        List<JsonNode> chunks = answer.chunks();
        assertThat(chunks.subList(0, 3)).noneMatch(chunk -> chunk.has("usage"));
        JsonNode last = chunks.getLast();
        assertThat(last.path("choices")).isEmpty();
        assertThat(last.at("/usage/cost").asInt()).isZero();
        assertThat(last.at("/usage/is_byok").asBoolean()).isFalse();
        assertThat(last.path("provider").asString()).isEqualTo("self");
        assertThat(chunks.get(2).at("/choices/0/native_finish_reason").asString())
                .isEqualTo("stop");
    }

    @Test
    void allRolesComeBeforeAnyText() throws Exception {
        List<JsonNode> chunks =
                ask(Script.saying("Hi"), OPENAI, chat("\"n\":3")).chunks();
        for (int i = 0; i < 3; i++) {
            assertThat(chunks.get(i).at("/choices/0/index").asInt()).isEqualTo(i);
            assertThat(chunks.get(i).at("/choices/0/delta/role").asString()).isEqualTo("assistant");
        }
        assertThat(chunks.subList(3, chunks.size()))
                .noneMatch(chunk -> chunk.at("/choices/0/delta").has("role"));
        assertThat(chunks.stream()
                        .filter(chunk -> chunk.at("/choices/0/finish_reason").isString())
                        .map(chunk -> chunk.at("/choices/0/index").asInt()))
                .containsExactlyInAnyOrder(0, 1, 2);
    }

    @Test
    void openAiCallsComeInPieces() throws Exception {
        List<JsonNode> chunks =
                ask(Script.calling("f", "{\"x\": 1}"), OPENAI, chat(TOOLS)).chunks();
        JsonNode first = chunks.get(1).at("/choices/0/delta/tool_calls/0");
        assertThat(first.path("index").asInt()).isZero();
        assertThat(first.path("id").asString()).matches("[a-zA-Z0-9]{9}");
        assertThat(first.path("type").asString()).isEqualTo("function");
        assertThat(first.at("/function/name").asString()).isEqualTo("f");
        assertThat(first.at("/function/arguments").asString()).isEmpty();
        JsonNode second = chunks.get(2).at("/choices/0/delta/tool_calls/0");
        assertThat(second.toString()).isEqualTo("{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\": 1}\"}}");
        assertThat(chunks.getLast().at("/choices/0/finish_reason").asString()).isEqualTo("tool_calls");
    }

    @Test
    void mistralCallsComeWhole() throws Exception {
        List<JsonNode> chunks = ask(Script.calling("f", "{\"x\": 1}"), OPENAI, chat(TOOLS), MISTRAL)
                .chunks();
        assertThat(chunks).hasSize(3);
        JsonNode call = chunks.get(1).at("/choices/0/delta/tool_calls/0");
        assertThat(call.at("/function/name").asString()).isEqualTo("f");
        assertThat(call.at("/function/arguments").asString()).isEqualTo("{\"x\": 1}");
        assertThat(call.path("index").asInt()).isZero();
    }

    @Test
    void severalCallsFollowEachOther() throws Exception {
        Script two = Script.of(
                new Started(0),
                new ToolCalls(List.of(new ToolCall("a", "f", "{}"), new ToolCall("a", "f", "{\"y\":2}"))),
                ScriptedModel.end(FinishReason.TOOL_CALLS));
        List<JsonNode> chunks = ask(two, OPENAI, chat(TOOLS)).chunks();
        assertThat(chunks.subList(1, 5).stream()
                        .map(chunk ->
                                chunk.at("/choices/0/delta/tool_calls/0/index").asInt()))
                .containsExactly(0, 0, 1, 1);
        assertThat(chunks.get(1).at("/choices/0/delta/tool_calls/0/id"))
                .isNotEqualTo(chunks.get(3).at("/choices/0/delta/tool_calls/0/id"));
        List<JsonNode> one =
                ask(two, OPENAI, chat(TOOLS + ",\"parallel_tool_calls\":false")).chunks();
        assertThat(one).hasSize(4);
    }

    @Test
    void legacyFunctionsAreAnsweredInTheirOwnForm() throws Exception {
        List<JsonNode> chunks = ask(
                        Script.calling("f", "{}"),
                        OPENAI,
                        chat("\"functions\":[{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}]"))
                .chunks();
        assertThat(chunks.get(1).at("/choices/0/delta/function_call/name").asString())
                .isEqualTo("f");
        assertThat(chunks.get(2).at("/choices/0/delta/function_call/arguments").asString())
                .isEqualTo("{}");
        assertThat(chunks.getLast().at("/choices/0/finish_reason").asString()).isEqualTo("function_call");
    }

    @Test
    void aPrefixIsTheFirstText() throws Exception {
        String body = """
                {"model":"scripted","stream":true,"messages":[{"role":"user","content":"Hi"},
                 {"role":"assistant","content":"Well, ","prefix":true}]}""";
        List<JsonNode> chunks = ask(Script.saying(" yes"), OPENAI, body).chunks();
        assertThat(chunks.stream()
                        .map(chunk -> chunk.at("/choices/0/delta/content").asString("")))
                .containsExactly("", "Well, ", "yes", "");
    }

    @Test
    void logprobsCarryBytesAndEscapes() throws Exception {
        ScriptedModel model = new ScriptedModel(Script.saying());
        int half = byteToken(model, 0xf0);
        Script script = Script.of(
                new Started(0),
                new TextDelta(
                        "x",
                        List.of(new TokenLogprob(half, -0.5, List.of(new Candidate(half, Double.NEGATIVE_INFINITY))))),
                new TextDelta("", List.of(new TokenLogprob(half, -0.25, List.of()))),
                ScriptedModel.end(FinishReason.STOP));
        List<JsonNode> chunks = ask(script, OPENAI, chat("\"logprobs\":true,\"top_logprobs\":1"))
                .chunks();
        assertThat(chunks)
                .describedAs("log-probabilities of a stop text are not sent")
                .hasSize(3);
        assertThat(chunks.get(1).at("/choices/0/logprobs").toString()).isEqualTo("""
                {"content":[{"token":"\\\\xf0","logprob":-0.5,"bytes":[240],"top_logprobs":[{"token":"\\\\xf0","logprob":-9999.0,"bytes":[240]}]}],"refusal":null}""");
    }

    private static int byteToken(ScriptedModel model, int value) {
        for (int id = 0; id < model.vocabSize(); id++) {
            byte[] bytes = model.tokenizer().bytes(id);
            if (bytes.length == 1 && (bytes[0] & 0xff) == value) {
                return id;
            }
        }
        throw new AssertionError("the vocabulary has no byte " + value);
    }

    @Test
    void aFailureInMidStreamIsItsLastEvent() throws Exception {
        Script failing = Script.of(new Started(0), ScriptedModel.text("Hel"))
                .then(new Step.Fail(new EngineFailedException(new IllegalStateException("boom"))));
        Answer openAi = ask(failing, OPENAI, chat(""));
        JsonNode last = openAi.chunks().getLast();
        assertThat(last.at("/error/code").asString()).isEqualTo("internal_error");
        assertThat(last.at("/error/message").asString()).doesNotContain("boom").contains("req_");
        assertThat(openAi.events()).doesNotContain("[DONE]");
        JsonNode openRouter = ask(failing, OPENROUTER, chat("")).chunks().getLast();
        assertThat(openRouter.at("/error/code").asInt()).isEqualTo(500);
        assertThat(openRouter.at("/choices/0/finish_reason").asString()).isEqualTo("error");
        assertThat(openRouter.at("/choices/0/delta/content").asString()).isEmpty();
    }

    @Test
    void aFailureBeforeTheFirstTokenIsAnAnswerOfItsOwn() throws Exception {
        Script tired = Script.of().then(new Step.Fail(new OverloadedException("waited too long", 7)));
        try (TestServer server = TestServer.of(new ScriptedModel(tired).served())) {
            Answer answer = server.post(OPENAI, chat(""));
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.header("content-type")).isEqualTo("application/json");
            assertThat(answer.header("retry-after")).isEqualTo("7");
            assertThat(answer.json().at("/error/code").asString()).isEqualTo("overloaded");
        }
    }

    @Test
    void silenceIsFilledAsConfigured() throws Exception {
        Script slow = Script.of(new Started(0))
                .then(new Step.Pause(Duration.ofMillis(400)))
                .then(new Step.Event(ScriptedModel.text("Hi")))
                .then(new Step.Event(ScriptedModel.end(FinishReason.STOP)));
        for (KeepAlive keepAlive : KeepAlive.values()) {
            try (TestServer server = TestServer.of(
                    new ScriptedModel(slow).served(),
                    builder -> builder.keepAlive(keepAlive).keepAliveInterval(Duration.ofMillis(100)))) {
                Answer answer = server.post(OPENAI, chat(""));
                boolean comments = answer.text().contains(": keep-alive\n\n");
                boolean chunks = answer.chunks().stream()
                        .anyMatch(chunk -> chunk.at("/choices/0/delta").isEmpty()
                                && chunk.at("/choices/0/finish_reason").isNull());
                assertThat(comments).isEqualTo(keepAlive == KeepAlive.COMMENT);
                assertThat(chunks).isEqualTo(keepAlive == KeepAlive.CHUNK);
            }
        }
    }

    @Test
    void aQueuedStreamHasItsHeadBeforeItsTurn() throws Exception {
        Script queued = new Script(List.of(
                new Step.Pause(Duration.ofMillis(600)),
                new Step.Event(new Started(0)),
                new Step.Event(ScriptedModel.text("Hi")),
                new Step.Event(ScriptedModel.end(FinishReason.STOP))));
        try (TestServer server = TestServer.of(
                        new ScriptedModel(queued).served(),
                        builder -> builder.streamStartDelay(Duration.ofMillis(50))
                                .keepAliveInterval(Duration.ofMillis(200)));
                var client = server.raw()) {
            String body = chat("");
            client.send("POST " + OPENAI + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
                    + body.length() + "\r\n\r\n" + body);
            String answer = client.readToEnd();
            int role = answer.indexOf("\"role\":\"assistant\"");
            int comment = answer.indexOf(": keep-alive");
            int text = answer.indexOf("\"content\":\"Hi\"");
            assertThat(role).isPositive().isLessThan(comment);
            assertThat(comment).isPositive().isLessThan(text);
        }
    }

    @Test
    void routingIsSentInChunksOfItsOwn() throws Exception {
        Script routed = Script.of(
                new Started(0),
                new Routed(0, 1, new int[] {3, 5, 0, 7}, new float[] {0.6f, 0.4f, 0.75f, 0.25f}),
                ScriptedModel.text("Hi"),
                ScriptedModel.end(FinishReason.STOP));
        List<JsonNode> chunks = ask(
                        routed, OPENAI, chat("\"x_routing\":true,\"stream_options\":{\"include_usage\":true}"))
                .chunks();
        assertThat(chunks.get(1).path("x_routing").toString()).isEqualTo("""
                [{"position":0,"token":"<s>","id":1,"experts":[[3,5],[0,7]],"weights":[[0.6,0.4],[0.75,0.25]]}]""");
        assertThat(chunks.get(1).at("/choices/0/delta").isEmpty()).isTrue();
        assertThat(chunks.getLast().at("/usage/x_timing/ttft_ms").isNumber()).isTrue();
    }
}

package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.server.testing.EmbeddedServer;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;

/// The server over the model that comes with the program: a real mixture of experts, and answers that can be checked.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmbeddedModelTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String WEATHER = """
            "messages":[{"role":"user","content":"What is the weather in Rome?"}],
            "tools":[{"type":"function","function":{"name":"get_weather","description":"Current weather of a city",
              "parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}}]""";
    private EmbeddedServer embedded;
    private TestServer server;

    @BeforeAll
    void start() throws Exception {
        embedded = EmbeddedServer.start();
        server = embedded.server();
    }

    @AfterAll
    void stop() {
        embedded.close();
    }

    private JsonNode ask(String path, String fields) throws Exception {
        Answer answer = server.post(path, "{\"model\":\"tiny\"," + fields + "}");
        assertThat(answer.status()).describedAs(answer.text()).isEqualTo(200);
        return answer.json();
    }

    private String streamed(String fields) throws Exception {
        Answer answer = server.post(CHAT, "{\"model\":\"tiny\",\"stream\":true," + fields + "}");
        return answer.chunks().stream()
                .map(chunk -> chunk.at("/choices/0/delta/content").asString(""))
                .collect(Collectors.joining());
    }

    private static String user(String text, String more) {
        return "\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]" + (more.isEmpty() ? "" : "," + more);
    }

    @Test
    void itTranslates() throws Exception {
        JsonNode answer = ask(CHAT, user("Say this in Italian: The queen smiles.", "\"temperature\":0"));
        assertThat(answer.at("/choices/0/message/content").asString()).isEqualTo("La regina sorride.");
        assertThat(answer.at("/choices/0/finish_reason").asString()).isEqualTo("stop");
    }

    @Test
    void aSeedFixesTheAnswerHoweverItIsSent() throws Exception {
        for (long seed : new long[] {1, -7, Long.MAX_VALUE}) {
            String request = user("Tell me a story.", "\"temperature\":1.3,\"max_tokens\":40,\"seed\":" + seed);
            String whole = ask(CHAT, request).at("/choices/0/message/content").asString();
            assertThat(streamed(request)).isEqualTo(whole);
            JsonNode three = ask(CHAT, request + ",\"n\":3");
            assertThat(three.at("/choices/0/message/content").asString()).isEqualTo(whole);
            assertThat(ask(CHAT, request + ",\"n\":3").path("choices")).isEqualTo(three.path("choices"));
            assertThat(three.at("/choices/1/message/content")).isNotEqualTo(three.at("/choices/2/message/content"));
        }
    }

    @Test
    void itCallsATool() throws Exception {
        JsonNode choice = ask(CHAT, WEATHER + ",\"temperature\":0").at("/choices/0");
        assertThat(choice.path("finish_reason").asString()).isEqualTo("tool_calls");
        JsonNode call = choice.at("/message/tool_calls/0");
        assertThat(call.at("/function/name").asString()).isEqualTo("get_weather");
        assertThat(call.at("/function/arguments").asString()).isEqualTo("{\"city\": \"Rome\"}");
        JsonNode none = ask(CHAT, WEATHER + ",\"temperature\":0,\"tool_choice\":\"none\"")
                .at("/choices/0");
        assertThat(none.path("message").has("tool_calls")).isFalse();
        // The ids that this small model was trained on: others are as good for clients, and harder for it.
        String message =
                choice.path("message").toString().replace(call.path("id").asString(), "call00001");
        JsonNode after = ask(
                CHAT,
                WEATHER.replace(
                                "Rome?\"}]",
                                "Rome?\"}," + message
                                        + ",{\"role\":\"tool\",\"tool_call_id\":\"call00001\",\"content\":\"{\\\"temperature\\\": 21}\"}]")
                        + ",\"temperature\":0");
        assertThat(after.at("/choices/0/message/content").asString()).contains("Rome", "21");
    }

    @Test
    void aPrefixIsContinuedAndComesBack() throws Exception {
        String whole = ask(CHAT, user("What is 87 + 43?", "\"temperature\":0"))
                .at("/choices/0/message/content")
                .asString();
        String begun = whole.substring(0, whole.indexOf(' ', 10));
        String request = "\"temperature\":0,\"messages\":[{\"role\":\"user\",\"content\":\"What is 87 + 43?\"},"
                + "{\"role\":\"assistant\",\"content\":\"" + begun + "\"%s}]";
        assertThat(ask(CHAT, request.formatted(",\"prefix\":true"))
                        .at("/choices/0/message/content")
                        .asString())
                .isEqualTo(whole);
        assertThat(streamed(request.formatted(",\"prefix\":true"))).isEqualTo(whole);
        assertThat(ask(CHAT, request.formatted(""))
                        .at("/choices/0/message/content")
                        .asString())
                .isEqualTo(whole.substring(begun.length()));
    }

    @Test
    void textGoesOnWithItsPrompt() throws Exception {
        JsonNode echoed = ask(
                "/v1/completions",
                "\"prompt\":\"The queen\",\"temperature\":0,\"max_tokens\":6,\"echo\":true,\"logprobs\":2");
        String text = echoed.at("/choices/0/text").asString();
        assertThat(text).startsWith("The queen ");
        String plain = ask("/v1/completions", "\"prompt\":\"The queen\",\"temperature\":0,\"max_tokens\":6")
                .at("/choices/0/text")
                .asString();
        assertThat("The queen" + plain).isEqualTo(text);
        JsonNode logprobs = echoed.at("/choices/0/logprobs");
        assertThat(logprobs.path("token_logprobs").size())
                .isEqualTo(logprobs.path("tokens").size());
        JsonNode scored =
                ask("/v1/completions", "\"prompt\":\"" + text + "\",\"max_tokens\":0,\"echo\":true,\"logprobs\":0");
        JsonNode scores = scored.at("/choices/0/logprobs/token_logprobs");
        assertThat(scores.size()).isEqualTo(logprobs.path("tokens").size());
        for (int i = 1; i < scores.size(); i++) {
            assertThat(scores.get(i).asDouble())
                    .describedAs("scoring a text gives what generating it gave")
                    .isCloseTo(logprobs.path("token_logprobs").get(i).asDouble(), within(0.05));
        }
    }

    @Test
    void logprobsSpellTheContent() throws Exception {
        JsonNode choice = ask(
                        CHAT,
                        user(
                                "Say this in German: The queen smiles.",
                                "\"temperature\":0,\"logprobs\":true,\"top_logprobs\":2"))
                .at("/choices/0");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (JsonNode token : choice.at("/logprobs/content")) {
            token.path("bytes").forEach(b -> bytes.write(b.asInt()));
            assertThat(token.path("top_logprobs")).hasSize(2);
            assertThat(token.path("logprob").asDouble()).isLessThanOrEqualTo(0);
            assertThat(token.at("/top_logprobs/0/logprob").asDouble())
                    .isGreaterThanOrEqualTo(token.at("/top_logprobs/1/logprob").asDouble());
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8).strip())
                .isEqualTo(choice.at("/message/content").asString());
    }

    @Test
    void stopTextsAndLimitsEndTheAnswer() throws Exception {
        JsonNode stopped = ask(CHAT, user("What is 87 + 43?", "\"temperature\":0,\"stop\":[\"zzz\",\"carry\"]"))
                .at("/choices/0");
        assertThat(stopped.path("finish_reason").asString()).isEqualTo("stop");
        assertThat(stopped.at("/message/content").asString())
                .doesNotContain("carry")
                .startsWith("7+3=10");
        JsonNode cut = ask(CHAT, user("What is 87 + 43?", "\"temperature\":0,\"max_completion_tokens\":2"));
        assertThat(cut.at("/choices/0/finish_reason").asString()).isEqualTo("length");
        assertThat(cut.at("/usage/completion_tokens").asInt()).isEqualTo(2);
        JsonNode large = ask(CHAT, user("What is 87 + 43?", "\"temperature\":0,\"max_tokens\":1000000000"));
        assertThat(large.at("/choices/0/finish_reason").asString()).isEqualTo("stop");
    }

    @Test
    void biasBansAndForcesTokens() throws Exception {
        JsonNode ids = server.post("/tokenize", "{\"content\":\"zzz\"}").json().path("tokens");
        int id = ids.get(ids.size() - 1).asInt();
        JsonNode forced = ask(
                CHAT,
                user(
                        "Hello",
                        "\"temperature\":1,\"max_tokens\":5,\"logprobs\":true,\"logit_bias\":{\"" + id + "\":100}"));
        JsonNode tokens = forced.at("/choices/0/logprobs/content");
        assertThat(tokens.valueStream()
                        .map(token -> token.path("token").asString())
                        .distinct())
                .hasSize(1);
        String free = ask(CHAT, user("What is 87 + 43?", "\"temperature\":0"))
                .at("/choices/0/message/content")
                .asString();
        int seven = server.post("/tokenize", "{\"content\":\"7\"}")
                .json()
                .path("tokens")
                .valueStream()
                .reduce((first, second) -> second)
                .orElseThrow()
                .asInt();
        String banned = ask(CHAT, user("What is 87 + 43?", "\"temperature\":0,\"logit_bias\":{\"" + seven + "\":-100}"))
                .at("/choices/0/message/content")
                .asString();
        assertThat(free).startsWith("7");
        assertThat(banned).doesNotStartWith("7");
    }

    @Test
    void routingNamesTwoExpertsPerLayer() throws Exception {
        JsonNode answer =
                ask(CHAT, user("Say this in Italian: The queen smiles.", "\"temperature\":0,\"x_routing\":true"));
        JsonNode routing = answer.path("x_routing");
        assertThat(routing).isNotEmpty();
        for (JsonNode entry : routing) {
            assertThat(entry.path("experts")).hasSize(4);
            for (int layer = 0; layer < 4; layer++) {
                assertThat(entry.path("experts").get(layer)).hasSize(2);
                double sum = entry.path("weights").get(layer).get(0).asDouble()
                        + entry.path("weights").get(layer).get(1).asDouble();
                assertThat(sum).isCloseTo(1, within(1e-3));
            }
        }
        assertThat(answer.at("/usage/x_timing/tokens_per_second").isNumber()).isTrue();
        assertThat(ask(CHAT, user("Hello", "\"max_tokens\":2")).has("x_routing"))
                .isFalse();
    }

    @Test
    void responsesHaveItems() throws Exception {
        JsonNode answer =
                ask("/v1/responses", "\"input\":\"Say this in Italian: The queen smiles.\",\"temperature\":0");
        assertThat(answer.path("status").asString()).isEqualTo("completed");
        assertThat(answer.at("/output/0/content/0/text").asString()).isEqualTo("La regina sorride.");
        assertThat(answer.at("/usage/input_tokens").asInt()).isPositive();
    }
}

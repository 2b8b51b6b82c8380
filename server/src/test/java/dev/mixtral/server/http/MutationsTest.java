package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.Dialect;
import dev.mixtral.server.testing.RawClient;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.ChatRequestReader;
import dev.mixtral.server.wire.CompletionRequestReader;
import dev.mixtral.server.wire.Json;
import dev.mixtral.server.wire.RequestRules;
import dev.mixtral.server.wire.ResponsesRequestReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

/// Valid requests, broken at random: always either accepted or refused with a 4xx, never a defect.
class MutationsTest {
    private static final List<String> VALID = List.of("""
            {"model":"scripted","messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"Hi"}]},
             {"role":"assistant","content":null,"tool_calls":[{"id":"abcdefghi","type":"function","function":{"name":"f","arguments":"{}"}}]},
             {"role":"tool","tool_call_id":"abcdefghi","content":"1"}],"tools":[{"type":"function","function":{"name":"f",
             "parameters":{"type":"object","properties":{"a":{"type":"integer"}}}}}],"tool_choice":"auto","n":2,"seed":5}""", """
            {"model":"scripted","prompt":["a",[1,2]],"messages":[{"role":"user","content":"x"}],"input":"x","max_tokens":5,
             "temperature":0.5,"top_p":0.9,"stop":["a","b"],"logit_bias":{"5":1.5},"logprobs":true,"top_logprobs":2,"stream":true,
             "stream_options":{"include_usage":true},"response_format":{"type":"text"},"presence_penalty":-1,"top_k":4}""", """
            {"model":"scripted","input":[{"role":"user","content":[{"type":"input_text","text":"Hi"}]},
             {"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"1"}],
             "prompt":"x","messages":[{"role":"user","content":"x"}],"text":{"format":{"type":"text"}},"provider":{"order":["self"]}}""");
    private static final List<String> PIECES = List.of(
            "null",
            "true",
            "-1",
            "1e400",
            "0.5",
            "\"\"",
            "[]",
            "{}",
            "[[[",
            "}",
            "\"",
            ":",
            ",",
            "\\u0000",
            "\\ud800",
            "9999999999999999999999",
            "\u00e9",
            "{\"type\":\"x\"}",
            "[null]",
            "\"none\"",
            "NaN",
            "-",
            "\n");

    private static byte[] mutate(String valid, Random random) {
        StringBuilder text = new StringBuilder(valid);
        int numChanges = 1 + random.nextInt(4);
        for (int i = 0; i < numChanges && !text.isEmpty(); i++) {
            int at = random.nextInt(text.length());
            int to = Math.min(text.length(), at + random.nextInt(12));
            switch (random.nextInt(5)) {
                case 0 -> text.delete(at, to);
                case 1 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
                case 2 -> text.replace(at, to, PIECES.get(random.nextInt(PIECES.size())));
                case 3 -> text.insert(at, text.substring(at, to));
                default -> replaceValue(text, at, random);
            }
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 0 && random.nextInt(10) == 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    /// Puts another value behind a colon, so that the JSON stays whole and the reader sees the wrong type.
    private static void replaceValue(StringBuilder text, int from, Random random) {
        int colon = text.indexOf(":", from);
        int end = colon < 0 ? -1 : text.indexOf(",", colon);
        if (end > 0) {
            text.replace(colon + 1, end, PIECES.get(random.nextInt(PIECES.size())));
        }
    }

    @Test
    void readersAcceptOrRefuse() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        RequestRules rules = new RequestRules(Dialect.OPENAI, 2048, 1, 8);
        int accepted = 0;
        for (int i = 0; i < 10_000; i++) {
            byte[] body = mutate(VALID.get(i % VALID.size()), random);
            try {
                ObjectNode json = Json.parseObject(body);
                switch (random.nextInt(3)) {
                    case 0 -> ChatRequestReader.read(json, rules);
                    case 1 -> CompletionRequestReader.read(json, rules);
                    default -> ResponsesRequestReader.read(json, rules);
                }
                accepted++;
            } catch (ApiException e) {
                assertThat(e.error().status()).isBetween(400, 499);
                assertThat(e.error().message()).isNotBlank().hasSizeLessThan(2000);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", request " + new String(body, StandardCharsets.UTF_8), e);
            }
        }
        assertThat(accepted).describedAs("some mutations are harmless").isBetween(100, 9_900);
    }

    @Test
    void theServerAnswersEveryOne() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        List<String> paths = List.of(
                "/v1/chat/completions", "/api/v1/chat/completions", "/v1/completions", "/v1/responses", "/tokenize");
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("Hi")).served())) {
            for (int i = 0; i < 400; i++) {
                byte[] body = mutate(VALID.get(i % VALID.size()), random);
                String path = paths.get(random.nextInt(paths.size()));
                try (RawClient client = server.raw()) {
                    client.send("POST " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
                                    + body.length + "\r\n\r\n")
                            .send(body);
                    assertThat(client.readToEnd())
                            .describedAs("seed " + seed + ", request " + i)
                            .matches("(?s)HTTP/1\\.1 (200|4\\d\\d) .*");
                }
            }
        }
    }
}

package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.testing.EmbeddedServer;
import dev.mixtral.server.testing.RawClient;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Schemas that are made to cost much end in a message, while other answers go on.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HostileSchemasTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final int EOS = 2;

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

    /// A schema, and the word for it.
    private record Hostile(String name, String schema) {}

    private static List<Hostile> schemas() {
        return List.of(
                new Hostile("nesting", "{\"items\":".repeat(200) + "true" + "}".repeat(200)),
                new Hostile(
                        "an exponential pattern",
                        "{\"type\":\"string\",\"pattern\":\"^(a|b)*a(a|b){30}$\",\"not\":{\"pattern\":\"^(aa|b|a|ba)*a(a|b){30}$\"}}"),
                new Hostile("a long pattern", "{\"pattern\":\"^" + "a?b?".repeat(100_000) + "$\"}"),
                new Hostile(
                        "brackets in a pattern",
                        "{\"pattern\":\"" + "(".repeat(5_000) + "a" + ")".repeat(5_000) + "\"}"),
                new Hostile("a huge enum", "{\"enum\":[" + numbers(400_000) + "]}"),
                new Hostile(
                        "a cycle",
                        "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"$ref\":\"#/$defs/a\"}}}"),
                new Hostile(
                        "an endless object",
                        "{\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#\"}},\"type\":\"object\"}"),
                new Hostile("alternatives", alternatives(20)),
                new Hostile("properties", properties(60_000)),
                new Hostile("four mebibytes", "{\"description\":\"" + "x".repeat(5 << 20) + "\"}"));
    }

    private static String numbers(int count) {
        return IntStream.range(0, count).mapToObj(i -> "\"v" + i * 7919L + "\"").collect(Collectors.joining(","));
    }

    private static String alternatives(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "{\"anyOf\":[{\"required\":[\"a" + i + "\"]},{\"required\":[\"b" + i + "\"]}]}")
                .collect(Collectors.joining(",", "{\"allOf\":[", "]}"));
    }

    private static String properties(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "\"p" + i + "\":{\"type\":\"string\",\"maxLength\":" + i + "}")
                .collect(Collectors.joining(",", "{\"properties\":{", "}}"));
    }

    private static String chat(String more) {
        return "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]," + more + "}";
    }

    @Test
    void everyOneIsRefusedWhileAnotherStreamGoesOn() throws Exception {
        AtomicInteger lines = new AtomicInteger();
        try (RawClient stream = server.raw()) {
            String body = chat("\"stream\":true,\"logit_bias\":{\"" + EOS + "\":-100}");
            stream.send(
                    "POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            Thread reader = Thread.ofVirtual().start(() -> count(stream, lines));
            for (Hostile hostile : schemas()) {
                int before = lines.get();
                long start = System.nanoTime();
                Answer answer = server.post(
                        CHAT,
                        chat("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":"
                                + hostile.schema() + "}}"));
                long millis = (System.nanoTime() - start) / 1_000_000;
                assertThat(answer.status()).as("%s", hostile.name()).isEqualTo(400);
                assertThat(answer.json().at("/error/code").asString())
                        .as("%s", hostile.name())
                        .isEqualTo("invalid_json_schema");
                assertThat(answer.json().at("/error/message").asString())
                        .as("%s", hostile.name())
                        .startsWith("Invalid schema in 'response_format': ")
                        .hasSizeLessThan(5_000);
                System.getLogger(HostileSchemasTest.class.getName())
                        .log(
                                System.Logger.Level.INFO,
                                hostile.name() + ": refused after " + millis + " ms, the other stream had "
                                        + (lines.get() - before) + " lines meanwhile");
            }
            int before = lines.get();
            while (lines.get() == before && reader.isAlive()) {
                Thread.sleep(5);
            }
            assertThat(lines.get()).describedAs("the stream still comes").isGreaterThan(before);
        }
    }

    private static void count(RawClient stream, AtomicInteger lines) {
        try {
            byte[] buffer = new byte[8192];
            int n = stream.socket().getInputStream().read(buffer);
            while (n >= 0) {
                lines.addAndGet((int) new String(buffer, 0, n, StandardCharsets.ISO_8859_1)
                        .chars()
                        .filter(c -> c == '\n')
                        .count());
                n = stream.socket().getInputStream().read(buffer);
            }
        } catch (java.io.IOException e) {
            // The test is over, and has closed the socket.
            lines.get();
        }
    }

    @Test
    void anAnswerThatGrowsTooCostlyFailsAloneInItsOwnWords() throws Exception {
        String pattern = IntStream.rangeClosed('a', 'z')
                .mapToObj(c -> ".*" + (char) c + ".{" + (900 + c) + "}")
                .collect(Collectors.joining("|"));
        String costly = chat("\"temperature\":1.5,\"seed\":3,\"stream\":true,\"guided_regex\":\"" + pattern + "\"");
        Answer answer = server.post(CHAT, costly);
        assertThat(answer.chunks().getLast().at("/error/message").asString()).contains("limit");
        assertThat(server.post(CHAT, chat("\"max_tokens\":2")).status()).isEqualTo(200);
    }
}

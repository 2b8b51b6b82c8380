package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.testing.RawClient;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.TestServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// HTTP as clients and attackers write it. After every test the server answers the next request.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RawHttpTest {
    private static final String BODY = "{\"model\":\"scripted\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private static final int MAX_BODY = 1 << 20;
    private TestServer server;

    @BeforeAll
    void start() throws Exception {
        server = TestServer.of(
                new ScriptedModel(Script.saying("Hi")).served(),
                builder -> builder.maxBodyBytes(MAX_BODY)
                        .headerTimeout(Duration.ofMillis(700))
                        .bodyTimeout(Duration.ofMillis(700))
                        .idleTimeout(Duration.ofMillis(700)));
    }

    @AfterAll
    void stop() {
        server.close();
    }

    @AfterEach
    void theNextRequestIsServed() throws Exception {
        assertThat(server.post("/v1/chat/completions", BODY).status()).isEqualTo(200);
    }

    private static String post(String path, String body, String... headers) {
        return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + String.join("", headers) + "Content-Length: "
                + body.length() + "\r\n\r\n" + body;
    }

    private String answerTo(String request) throws IOException {
        try (RawClient client = server.raw()) {
            return client.send(request).readAnswer();
        }
    }

    @Test
    void fragmentsAndWholeUrlsAreUnderstood() throws Exception {
        assertThat(answerTo(post("/v1/chat/completions#stream", BODY))).startsWith("HTTP/1.1 200");
        assertThat(answerTo(post("http://x/v1/chat/completions", BODY))).startsWith("HTTP/1.1 200");
        assertThat(answerTo("GET /v1/models/mistralai%2Fnope HTTP/1.1\r\nHost: x\r\n\r\n"))
                .startsWith("HTTP/1.1 404")
                .contains("mistralai/nope");
    }

    @Test
    void anOfferOfHttp2IsNotTakenUp() throws Exception {
        String offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
        String answer = answerTo(post("/v1/chat/completions", BODY, offer));
        assertThat(answer).startsWith("HTTP/1.1 200").contains("\"content\":\"Hi\"");
        try (RawClient client = server.raw()) {
            client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
            assertThat(client.readToEnd()).doesNotContain("HTTP/2.0 200");
        }
    }

    @Test
    void aClientMayWaitForPermission() throws Exception {
        try (RawClient client = server.raw()) {
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
                    + BODY.length() + "\r\n\r\n");
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 100 Continue");
            assertThat(client.send(BODY).readAnswer()).startsWith("HTTP/1.1 200");
        }
        try (RawClient client = server.raw()) {
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: "
                    + (MAX_BODY + 1) + "\r\n\r\n");
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 413");
        }
    }

    @Test
    void bodiesMayComeInChunks() throws Exception {
        String chunked = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n5\r\n" + BODY.substring(0, 5) + "\r\n"
                + Integer.toHexString(BODY.length() - 5) + ";ext=1\r\n" + BODY.substring(5) + "\r\n0\r\n\r\n";
        assertThat(answerTo(chunked)).startsWith("HTTP/1.1 200");
    }

    @Test
    void requestsMayFollowEachOtherAtOnce() throws Exception {
        try (RawClient client = server.raw()) {
            client.send(post("/v1/chat/completions", BODY) + "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
                    + post("/v1/completions", "{\"model\":\"scripted\",\"prompt\":\"x\"}"));
            assertThat(client.readAnswer()).contains("chat.completion");
            assertThat(client.readAnswer()).contains("{\"status\":\"ok\"}");
            assertThat(client.readAnswer()).contains("text_completion");
        }
    }

    @Test
    void bodiesMayBeCompressed() throws Exception {
        try (RawClient client = server.raw()) {
            byte[] body = gzip(BODY.getBytes(StandardCharsets.UTF_8));
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: "
                            + body.length + "\r\n\r\n")
                    .send(body);
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 200");
        }
        byte[] bomb = gzip(new byte[64 << 20]);
        try (RawClient client = server.raw()) {
            assertThat(bomb.length).isLessThan(MAX_BODY);
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: "
                            + bomb.length + "\r\n\r\n")
                    .send(bomb);
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 413");
        }
    }

    private static byte[] gzip(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        }
        return out.toByteArray();
    }

    @Test
    void bodiesBeyondTheLimitAreRefusedWhileTheyCome() throws Exception {
        try (RawClient client = server.raw()) {
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 34603008\r\n\r\n");
            byte[] piece = new byte[64 << 10];
            for (int i = 0; i < 20; i++) {
                client.send(piece);
            }
            String answer = client.readAnswer();
            assertThat(answer).startsWith("HTTP/1.1 413").contains("request_too_large", "1048576");
        }
        try (RawClient client = server.raw()) {
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            String chunk = "10000\r\n" + " ".repeat(0x10000) + "\r\n";
            for (int i = 0; i < 20; i++) {
                client.send(chunk);
            }
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 413");
        }
    }

    @Test
    void aClientThatIgnoresA413IsCutOff() throws Exception {
        try (RawClient client = server.raw()) {
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 413");
            byte[] piece = new byte[1 << 20];
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            boolean cut = false;
            while (!cut && System.nanoTime() < deadline) {
                try {
                    client.send(piece);
                } catch (SocketException e) {
                    cut = true;
                }
            }
            assertThat(cut).isTrue();
        }
    }

    @Test
    void whatIsNoHttpIsRefusedAndTheConnectionClosed() throws Exception {
        for (String request : List.of(
                "GARBAGE\r\n\r\n",
                "GET\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
                "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003 a TLS hello\r\n\r\n",
                "\u0000\u0000\u0000\r\n\r\n")) {
            try (RawClient client = server.raw()) {
                String answer = client.send(request).readToEnd();
                assertThat(answer)
                        .describedAs(request)
                        .satisfiesAnyOf(
                                text -> assertThat(text)
                                        .matches("(?s)HTTP/1\\.[01] 4.*")
                                        .containsIgnoringCase("x-request-id: req_")
                                        .containsIgnoringCase("access-control-allow-origin: *"),
                                text -> assertThat(text).isEmpty());
                assertThat(answer).doesNotContain("Exception", "<html");
            }
        }
    }

    @Test
    void linesAndHeadersHaveTheirLimits() throws Exception {
        assertThat(answerTo("GET /" + "a".repeat(20_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"))
                .matches("(?s)HTTP/1\\.[01] 414.*")
                .contains("request line");
        assertThat(answerTo("GET / HTTP/1.1\r\nHost: x\r\nX-A: " + "a".repeat(100_000) + "\r\n\r\n"))
                .matches("(?s)HTTP/1\\.[01] 431.*");
        StringBuilder flood = new StringBuilder("GET / HTTP/1.1\r\nHost: x\r\n");
        for (int i = 0; i < 20_000; i++) {
            flood.append("X-").append(i).append(": y\r\n");
        }
        try (RawClient client = server.raw()) {
            client.send(flood + "\r\n");
            assertThat(client.readToEnd()).matches("(?s)HTTP/1\\.[01] 431.*");
        } catch (SocketException e) {
            // The server may close before it has read all of it.
            assertThat(e).hasMessageMatching("(?s).*(reset|pipe|abort).*");
        }
    }

    @Test
    void slowSendersAreCutOff() throws Exception {
        try (RawClient dripping = server.raw();
                RawClient silent = server.raw();
                RawClient halfBody = server.raw();
                RawClient idle = server.raw()) {
            halfBody.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
            assertThat(idle.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").readAnswer())
                    .startsWith("HTTP/1.1 200");
            boolean cut = false;
            String head = "GET / HTTP/1.1\r\nX-Slow: ";
            for (int i = 0; i < 200 && !cut; i++) {
                try {
                    dripping.send(i < head.length() ? head.substring(i, i + 1) : "a");
                    Thread.sleep(20);
                } catch (SocketException e) {
                    cut = true;
                }
            }
            assertThat(cut).describedAs("a header that drips").isTrue();
            assertThat(silent.readToEnd()).isEmpty();
            assertThat(idle.readToEnd()).isEmpty();
            assertThat(halfBody.readAnswer()).startsWith("HTTP/1.1 408");
            assertThat(halfBody.readToEnd()).isEmpty();
        }
    }

    @Test
    void hugeAndCrookedBodiesAreRefused() throws Exception {
        String deep = "{\"model\":\"scripted\",\"messages\":" + "[".repeat(200_000) + "]".repeat(200_000) + "}";
        assertThat(answerTo(post("/v1/chat/completions", deep))).startsWith("HTTP/1.1 400");
        String flood = "{\"model\":\"scripted\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"logit_bias\":{"
                + "\"999999\":1,".repeat(60_000) + "\"5\":1}}";
        assertThat(answerTo(post("/v1/chat/completions", flood))).startsWith("HTTP/1.1 400");
        try (RawClient client = server.raw()) {
            byte[] invalid = {'{', '"', (byte) 0xc3, (byte) 0x28, '"', ':', '1', '}'};
            client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n")
                    .send(invalid);
            assertThat(client.readAnswer()).startsWith("HTTP/1.1 400").contains("could not parse");
        }
        String number = "{\"model\":\"scripted\",\"n\":" + "9".repeat(100_000) + "}";
        assertThat(answerTo(post("/v1/chat/completions", number))).startsWith("HTTP/1.1 400");
        assertThat(answerTo(post("/v1/chat/completions", BODY + "x"))).startsWith("HTTP/1.1 400");
        assertThat(answerTo(post("/v1/chat/completions", ""))).startsWith("HTTP/1.1 400");
    }

    @Test
    void aHundredThousandMessagesAreJustALongPrompt() throws Exception {
        String messages = "{\"role\":\"user\",\"content\":\"a\"},".repeat(100_000);
        String body = "{\"model\":\"scripted\",\"messages\":[" + messages + "{\"role\":\"user\",\"content\":\"a\"}]}";
        try (TestServer large = TestServer.of(new ScriptedModel(Script.saying("Hi")).served())) {
            var answer = large.post("/v1/chat/completions", body);
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.json().at("/error/code").asString()).isEqualTo("context_length_exceeded");
        }
    }

    @Test
    void randomBytesNeverStopTheServer() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 60; i++) {
            byte[] noise = new byte[random.nextInt(2000)];
            random.nextBytes(noise);
            try (RawClient client = server.raw()) {
                client.send(noise).send("\r\n\r\n");
                client.socket().shutdownOutput();
                assertThat(client.readToEnd())
                        .describedAs("seed " + seed)
                        .satisfiesAnyOf(
                                text -> assertThat(text).matches("(?s)HTTP/1\\.[01] 4.*"),
                                text -> assertThat(text).isEmpty());
            } catch (SocketException e) {
                // Closed before all was sent.
                assertThat(e).isInstanceOf(SocketException.class);
            }
        }
    }
}

package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.server.ApiKey;
import dev.mixtral.server.RequestReport;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.testing.RawClient;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.ScriptedModel.Step;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What happens to requests when their client goes away, does not read, or the server stops.
class LifecycleTest {
    private static final String CHAT = "/v1/chat/completions";

    private static String chat(boolean stream) {
        return "{\"model\":\"scripted\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":" + stream
                + "}";
    }

    private static String request(boolean stream) {
        String body = chat(stream);
        return "POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
    }

    private static Script waiting(CountDownLatch latch) {
        return Script.of(new Started(0), ScriptedModel.text("Hel"))
                .then(new Step.Await(latch))
                .then(new Step.Event(ScriptedModel.text("lo")))
                .then(new Step.Event(ScriptedModel.end(FinishReason.STOP)));
    }

    private static void eventually(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
            Thread.sleep(5);
        }
        assertThat(condition.getAsBoolean()).isTrue();
    }

    @Test
    void aClientThatHangsUpEndsItsGenerations() throws Exception {
        ScriptedModel model = new ScriptedModel(waiting(new CountDownLatch(1)));
        try (TestServer server = TestServer.of(model.served())) {
            for (boolean stream : new boolean[] {true, false}) {
                for (boolean reset : new boolean[] {true, false}) {
                    int before = model.cancelled.get();
                    int requests = model.requests.size();
                    RawClient client = server.raw();
                    client.send(request(stream));
                    eventually(() -> model.requests.size() > requests);
                    if (reset) {
                        // Unread data and no lingering: a reset instead of a FIN.
                        client.socket().setSoLinger(true, 0);
                    }
                    client.close();
                    eventually(() -> model.cancelled.get() == before + 1);
                    RequestReport report = server.report();
                    assertThat(report.status()).isEqualTo(499);
                    assertThat(Objects.requireNonNull(report.generation()).finishReasons())
                            .containsExactly("cancelled");
                }
            }
            eventually(() -> model.closed.get() == 4);
        }
    }

    @Test
    void allChoicesOfALostRequestEnd() throws Exception {
        ScriptedModel model = new ScriptedModel(waiting(new CountDownLatch(1)));
        try (TestServer server = TestServer.of(model.served())) {
            RawClient client = server.raw();
            String body = chat(false).replace("}],", "}],\"n\":5,");
            client.send(
                    "POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            eventually(() -> model.requests.size() == 5);
            client.close();
            eventually(() -> model.cancelled.get() == 5 && model.closed.get() == 5);
        }
    }

    @Test
    void aClientThatDoesNotReadIsDropped() throws Exception {
        String megabyte = "x".repeat(1 << 20);
        Script endless = new Script(IntStream.range(0, 200)
                .<Step>mapToObj(i -> new Step.Event(i == 0 ? new Started(0) : ScriptedModel.text(megabyte)))
                .toList());
        ScriptedModel model = new ScriptedModel(endless);
        try (TestServer server =
                        TestServer.of(model.served(), builder -> builder.stallTimeout(Duration.ofMillis(500)));
                RawClient client = server.raw()) {
            client.send(request(true));
            RequestReport report = server.report();
            assertThat(report.error()).isEqualTo("the client went away");
            eventually(() -> model.closed.get() == 1);
        }
    }

    @Test
    void modelsAreWaitedForWhileTheyLoad() throws Exception {
        try (TestServer server = TestServer.loading(builder -> {})) {
            Answer health = server.get("/health");
            assertThat(health.status()).isEqualTo(503);
            assertThat(health.json().at("/error/code").asString()).isEqualTo("model_loading");
            assertThat(server.get("/readyz").status()).isEqualTo(503);
            assertThat(server.get("/livez").status()).isEqualTo(200);
            Answer early = server.post(CHAT, chat(false));
            assertThat(early.status()).isEqualTo(503);
            assertThat(early.header("retry-after")).isEqualTo("5");
            server.server().ready(new ScriptedModel(Script.saying("Hi")).served());
            assertThat(server.get("/health").status()).isEqualTo(200);
            assertThat(server.post(CHAT, chat(false)).status()).isEqualTo(200);
        }
    }

    @Test
    void runningRequestsEndBeforeTheServerStops() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        ScriptedModel model = new ScriptedModel(waiting(latch));
        TestServer server = TestServer.of(model.served());
        CompletableFuture<Answer> running = async(() -> server.post(CHAT, chat(true)));
        eventually(() -> model.requests.size() == 1);
        CompletableFuture<Boolean> stopped = async(() -> server.server().stop(Duration.ofSeconds(20)));
        eventually(() -> refuses(server));
        Answer refused = server.post(CHAT, chat(false));
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.json().at("/error/code").asString()).isEqualTo("overloaded");
        assertThat(stopped.isDone()).isFalse();
        latch.countDown();
        assertThat(running.get(60, TimeUnit.SECONDS).events().getLast()).isEqualTo("[DONE]");
        assertThat(stopped.get(60, TimeUnit.SECONDS)).isTrue();
        server.close();
    }

    @Test
    void requestsThatOutlastTheGraceTimeAreToldWhy() throws Exception {
        ScriptedModel model = new ScriptedModel(waiting(new CountDownLatch(1)));
        TestServer server = TestServer.of(model.served());
        CompletableFuture<Answer> stream = async(() -> server.post(CHAT, chat(true)));
        CompletableFuture<Answer> whole = async(() -> server.post(CHAT, chat(false)));
        eventually(() -> model.requests.size() == 2);
        assertThat(server.server().stop(Duration.ofMillis(100))).isFalse();
        assertThat(stream.get(60, TimeUnit.SECONDS)
                        .chunks()
                        .getLast()
                        .at("/error/code")
                        .asString())
                .isEqualTo("overloaded");
        assertThat(whole.get(60, TimeUnit.SECONDS).status()).isEqualTo(503);
        server.close();
    }

    private static boolean refuses(TestServer server) {
        try {
            return server.get("/health").status() == 503;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private interface Action<T> {
        T run() throws Exception;
    }

    private static <T> CompletableFuture<T> async(Action<T> action) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                result.complete(action.run());
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    @Test
    void aKeyHasItsShareOfRequests() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        ScriptedModel model = new ScriptedModel(waiting(latch));
        List<ApiKey> keys = List.of(new ApiKey("a", "sk-a", Set.of()), new ApiKey("b", "sk-b", Set.of()));
        try (TestServer server =
                TestServer.of(model.served(), builder -> builder.apiKeys(keys).maxRequestsPerKey(1))) {
            CompletableFuture<Answer> first = async(() -> server.post(CHAT, chat(false), "x-api-key", "sk-a"));
            eventually(() -> model.requests.size() == 1);
            Answer second = server.post(CHAT, chat(false), "x-api-key", "sk-a");
            assertThat(second.status()).isEqualTo(429);
            assertThat(second.header("retry-after")).isEqualTo("1");
            assertThat(second.header("x-ratelimit-limit-requests")).isEqualTo("1");
            assertThat(second.header("x-ratelimit-remaining-requests")).isEqualTo("0");
            CompletableFuture<Answer> other = async(() -> server.post(CHAT, chat(false), "x-api-key", "sk-b"));
            eventually(() -> model.requests.size() == 2);
            latch.countDown();
            assertThat(first.get(60, TimeUnit.SECONDS).status()).isEqualTo(200);
            assertThat(other.get(60, TimeUnit.SECONDS).status()).isEqualTo(200);
            assertThat(server.post(CHAT, chat(false), "x-api-key", "sk-a").status())
                    .isEqualTo(200);
            assertThat(model.requests.stream().map(request -> request.client())).contains("a", "b");
        }
    }

    @Test
    void aPortInUseIsAClearError() throws Exception {
        try (TestServer server = TestServer.loading(builder -> {})) {
            ServerConfig same =
                    ServerConfig.builder().port(server.server().port()).build();
            assertThatThrownBy(() -> MixtralServer.start(same, ServerObserver.NONE, "0"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("port " + server.server().port())
                    .hasMessageContaining("--port");
        }
    }

    @Test
    void connectionsBeyondTheLimitAreClosed() throws Exception {
        try (TestServer server = TestServer.of(
                        new ScriptedModel(Script.saying("Hi")).served(), builder -> builder.maxConnections(2));
                RawClient second = server.raw()) {
            RawClient first = server.raw();
            assertThat(first.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").readAnswer())
                    .startsWith("HTTP/1.1 200");
            assertThat(second.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").readAnswer())
                    .startsWith("HTTP/1.1 200");
            try (RawClient third = server.raw()) {
                assertThat(third.readToEnd()).isEmpty();
            }
            first.close();
            eventually(() -> answers(server));
        }
    }

    private static boolean answers(TestServer server) {
        try (RawClient client = server.raw()) {
            return client.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                    .readAnswer()
                    .startsWith("HTTP/1.1 200");
        } catch (IOException e) {
            return false;
        }
    }
}

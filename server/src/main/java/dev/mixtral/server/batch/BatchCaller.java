package dev.mixtral.server.batch;

import dev.mixtral.server.ApiKey;
import dev.mixtral.server.api.RequestHead;
import dev.mixtral.server.api.ServerApi;
import dev.mixtral.server.wire.Json;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Sends the requests of a batch to this process's own API. Thread-safe.
final class BatchCaller {
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int UNAVAILABLE = 503;
    private static final int MAX_PAUSE_SECONDS = 10;

    private final ServerApi api;
    private final Client client;
    private final Set<MemoryExchange> running = ConcurrentHashMap.newKeySet();
    private volatile boolean stopped;

    /// On whose behalf requests are made.
    ///
    /// @param name who waits in line for them, apart from those who wait for an answer in person
    /// @param key what limits the models they may use, and how many may run; `null` for no limit
    record Client(String name, @Nullable ApiKey key) {}

    BatchCaller(ServerApi api, Client client) {
        this.api = api;
        this.client = client;
    }

    /// Has a request answered. Where the server is busy, it is asked again until it is not.
    ///
    /// @return the result, or `null` if the caller was stopped first
    @Nullable
    BatchResult call(BatchLine.Request request) throws InterruptedException {
        byte[] body = Json.bytes(request.body());
        while (!stopped) {
            RequestHead head = new RequestHead(
                    "req_" + UUID.randomUUID().toString().replace("-", ""),
                    "POST",
                    request.url(),
                    Map.of("content-type", "application/json"),
                    client.name(),
                    System.nanoTime());
            MemoryExchange exchange = new MemoryExchange(head, body);
            send(exchange);
            int status = exchange.status();
            if (status != 0 && status != TOO_MANY_REQUESTS && status != UNAVAILABLE) {
                return BatchResult.answered(request, status, head.id(), Json.parseObject(exchange.answer()));
            }
            if (!stopped) {
                int seconds = Math.clamp(exchange.header("retry-after"), 1, MAX_PAUSE_SECONDS);
                Thread.sleep(Duration.ofSeconds(seconds));
            }
        }
        return null;
    }

    private void send(MemoryExchange exchange) {
        running.add(exchange);
        try {
            // Whoever stops either finds it among the running ones, or is seen here.
            if (!stopped) {
                api.handle(api.prepareInternal(exchange.head(), client.key()), exchange);
            }
        } finally {
            running.remove(exchange);
        }
    }

    /// Begins no more requests.
    void stop() {
        stopped = true;
    }

    /// Ends those that are running; they will have no result.
    void cancel() {
        stopped = true;
        running.forEach(MemoryExchange::cancel);
    }
}

package dev.mixtral.server.testing;

import dev.mixtral.server.RequestReport;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.server.http.MixtralServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A server on a free port, and a client for it.
public final class TestServer implements AutoCloseable {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final MixtralServer server;
    // The JDK's client offers to change to HTTP/2 with every request; the server must not mind.
    private final HttpClient client = HttpClient.newHttpClient();

    /// What was reported, in order.
    public final BlockingQueue<RequestReport> reports = new LinkedBlockingQueue<>();

    private TestServer(ServerConfig config) throws IOException, InterruptedException {
        ServerObserver observer = new ServerObserver() {
            @Override
            public void requestEnded(RequestReport report) {
                reports.add(report);
            }

            @Override
            public String metricsText() {
                return "up 1\n";
            }
        };
        server = MixtralServer.start(config, observer, "0-test");
    }

    /// Starts a server with models.
    public static TestServer of(ServedModels models) throws IOException, InterruptedException {
        return of(models, builder -> {});
    }

    /// Starts a server with models and other settings than the defaults.
    public static TestServer of(ServedModels models, Consumer<ServerConfig.Builder> settings)
            throws IOException, InterruptedException {
        TestServer server = loading(settings);
        server.server().ready(models);
        return server;
    }

    /// Starts a server that has no models yet.
    public static TestServer loading(Consumer<ServerConfig.Builder> settings) throws IOException, InterruptedException {
        ServerConfig.Builder builder = ServerConfig.builder().port(0);
        settings.accept(builder);
        return new TestServer(builder.build());
    }

    /// Returns the server.
    public MixtralServer server() {
        return server;
    }

    /// Returns the next report.
    public RequestReport report() throws InterruptedException {
        RequestReport report = reports.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (report == null) {
            throw new AssertionError("no request ended within " + PATIENCE);
        }
        return report;
    }

    /// An answer: status, headers, body.
    public record Answer(int status, HttpResponse<byte[]> response) {
        /// Returns the body as text.
        public String text() {
            return new String(response.body(), StandardCharsets.UTF_8);
        }

        /// Returns the body as JSON.
        public JsonNode json() {
            return MAPPER.readTree(response.body());
        }

        /// Returns a header, or an empty text.
        public String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }

        /// Returns the `data` of each event of a stream.
        public List<String> events() {
            return text().lines()
                    .filter(line -> line.startsWith("data: "))
                    .map(line -> line.substring("data: ".length()))
                    .toList();
        }

        /// Returns the JSON of each event of a stream, without the closing `[DONE]`.
        public List<JsonNode> chunks() {
            return events().stream()
                    .filter(event -> !event.equals("[DONE]"))
                    .map(MAPPER::readTree)
                    .toList();
        }
    }

    /// Sends a POST with a JSON body.
    public Answer post(String path, String body, String... headers) throws IOException, InterruptedException {
        return send("POST", path, body.getBytes(StandardCharsets.UTF_8), headers);
    }

    /// Sends a GET.
    public Answer get(String path, String... headers) throws IOException, InterruptedException {
        return send("GET", path, new byte[0], headers);
    }

    /// Sends a request.
    ///
    /// @param headers names and values in turn
    public Answer send(String method, String path, byte[] body, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.url() + path))
                .timeout(PATIENCE)
                .method(method, body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        HttpResponse<byte[]> response = client.send(request.build(), BodyHandlers.ofByteArray());
        return new Answer(response.statusCode(), response);
    }

    /// Opens a socket to the server.
    public RawClient raw() throws IOException {
        return new RawClient(server.port());
    }

    @Override
    public void close() {
        client.shutdownNow();
        client.close();
        server.close();
    }
}

package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HealthCommandTest {
    private static CommandRun ask(int status, String body) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/readyz", exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
        try {
            return CommandRun.of("health", "--url", url(server.getAddress().getPort()));
        } finally {
            server.stop(0);
        }
    }

    private static String url(int port) {
        return "http://127.0.0.1:" + port + "/readyz";
    }

    @Test
    void aReadyServerIsHealthy() throws IOException {
        assertThat(ask(200, "{}")).isEqualTo(new CommandRun(0, "ok\n", ""));
    }

    @Test
    void aServerThatLoadsOrDrainsIsNot() throws IOException {
        CommandRun run = ask(503, "loading");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("answered with status 503: loading");
    }

    @Test
    void noServerIsNotHealthyEither() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        CommandRun run = CommandRun.of("health", "--url", url(port));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("does not answer");
    }

    @Test
    void aServerThatKeepsSilentIsNotWaitedForLong() throws IOException {
        try (ServerSocket silent = new ServerSocket(0)) {
            CommandRun run = CommandRun.of("health", "--timeout-seconds", "1", "--url", url(silent.getLocalPort()));
            assertThat(run.exitCode()).isEqualTo(1);
            assertThat(run.err()).contains("does not answer");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"readyz", "ftp://127.0.0.1/", "http:///readyz"})
    void aStrangeUrlIsWrongUsage(String url) {
        assertThat(CommandRun.of("health", "--url", url).exitCode()).isEqualTo(2);
    }
}

package dev.mixtral.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Asks a running server whether it takes requests: the health check of containers that have no shell and no curl.
@Command(
        name = "health",
        description = "Ask a running server whether it takes requests. The exit code is 0 if it does, else 1.")
final class HealthCommand implements Callable<Integer> {
    private static final int OK = 200;

    private final Terminal terminal;

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "http://127.0.0.1:8080/readyz",
            description = "What to ask (default: ${DEFAULT-VALUE}). /livez is also true while models are loaded.")
    private URI url = URI.create("http://127.0.0.1:8080/readyz");

    @Option(
            names = "--timeout-seconds",
            paramLabel = "N",
            defaultValue = "5",
            description = "How long to wait for the answer (default: ${DEFAULT-VALUE}).")
    private int timeoutSeconds = 5;

    HealthCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws InterruptedException {
        OptionChecks.requirePositive("--timeout-seconds", timeoutSeconds);
        String scheme = String.valueOf(url.getScheme());
        OptionChecks.require(
                url.getHost() != null && (scheme.equals("http") || scheme.equals("https")),
                "--url: expected http://HOST:PORT/readyz, got " + url);
        Duration timeout = Duration.ofSeconds(timeoutSeconds);
        try (HttpClient client = HttpClient.newBuilder().connectTimeout(timeout).build()) {
            HttpResponse<String> answer =
                    client.send(HttpRequest.newBuilder(url).timeout(timeout).build(), BodyHandlers.ofString());
            if (answer.statusCode() == OK) {
                terminal.out().println("ok");
                return 0;
            }
            terminal.err()
                    .println("mixtral: " + url + " answered with status " + answer.statusCode() + ": "
                            + answer.body().strip());
        } catch (IOException e) {
            terminal.err().println("mixtral: " + url + " does not answer (" + reason(e) + ")");
        }
        return 1;
    }

    private static String reason(IOException failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message;
    }
}

package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeCommandTest {
    private static final Path HOME = Path.of(System.getProperty("mixtral.home", ".."));

    @TempDir
    private Path folder;

    @Test
    void settingsArePrintedWithTheirSource() throws IOException {
        Path file = Files.writeString(folder.resolve("settings.yaml"), "port: 9000\nmax-num-seqs: 3\n");
        CommandRun run = CommandRun.of(
                HOME, "", "serve", "--config", file.toString(), "--max-seqs", "5", "--alias", "gpt", "--print-config");
        assertThat(run.exitCode()).describedAs(run.err()).isZero();
        assertThat(run.out()).containsPattern("port: 9000 +# .*settings.yaml");
        assertThat(run.out()).containsPattern("max-num-seqs: 5 +# .*--max-num-seqs");
        assertThat(run.out()).contains("model-aliases: [\"gpt\"]");
    }

    @Test
    void everySettingIsAnOption() {
        CommandRun run = CommandRun.of(HOME, "", "serve", "--help");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out())
                .contains(
                        "--host",
                        "--port",
                        "--api-key-file",
                        "--max-seqs",
                        "--max-num-seqs",
                        "--context",
                        "--kv",
                        "--dialect",
                        "--cors-origin",
                        "--log-format",
                        "listening on");
    }

    @Test
    void wrongSettingsAreWrongUsage() {
        CommandRun port = CommandRun.of(HOME, "", "serve", "--port", "99999");
        assertThat(port.exitCode()).isEqualTo(2);
        assertThat(port.err()).contains("port", "99999");
        CommandRun key = CommandRun.of(
                HOME, "", "serve", "--api-key-file", folder.resolve("none").toString());
        assertThat(key.exitCode()).isEqualTo(2);
        assertThat(key.err()).contains("none");
        CommandRun model = CommandRun.of(
                HOME, "", "serve", "--port", "0", folder.resolve("no.gguf").toString());
        assertThat(model.exitCode()).isEqualTo(1);
        assertThat(model.err()).contains("no.gguf");
    }

    /// The whole program in a process of its own: ready, asked, told to end in the middle of an answer.
    @Test
    void aTermSignalLetsTheRunningAnswerEnd() throws Exception {
        Process process = start("--port", "0", "--threads", "1");
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
                HttpClient client = HttpClient.newHttpClient()) {
            String line = String.valueOf(out.readLine());
            assertThat(line).startsWith("listening on http://127.0.0.1:");
            URI url = URI.create(line.substring("listening on ".length()));
            String body = "{\"model\":\"mixtral-tiny\",\"stream\":true,\"max_tokens\":300,\"logit_bias\":{\"2\":-100},"
                    + "\"messages\":[{\"role\":\"user\",\"content\":\"What is 87 + 43?\"}]}";
            HttpRequest request = HttpRequest.newBuilder(url.resolve("/v1/chat/completions"))
                    .POST(BodyPublishers.ofString(body))
                    .build();
            // Read as it comes: the first line is there long before the last.
            HttpResponse<Stream<String>> response = client.send(request, BodyHandlers.ofLines());
            CompletableFuture<List<String>> lines = new CompletableFuture<>();
            var iterator = response.body().iterator();
            assertThat(iterator.next()).startsWith("data: ");
            process.destroy();
            Thread.ofVirtual().start(() -> {
                List<String> rest = new ArrayList<>();
                iterator.forEachRemaining(rest::add);
                lines.complete(rest);
            });
            assertThat(lines.get(2, TimeUnit.MINUTES)).contains("data: [DONE]");
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            // 128 + SIGTERM: the JVM ends by the signal after its hooks have run.
            assertThat(process.exitValue()).isEqualTo(143);
        } finally {
            process.destroyForcibly();
        }
    }

    private Process start(String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Dmixtral.home=" + HOME.toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "serve"));
        command.addAll(List.of(options));
        return new ProcessBuilder(command)
                .redirectError(folder.resolve("err.txt").toFile())
                .start();
    }
}

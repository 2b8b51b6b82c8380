package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.config.ConfigKey;
import dev.mixtral.server.config.ConfigKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeOptionsTest {
    @TempDir
    private Path folder;

    private static CommandRun print(String... settings) {
        String[] args = new String[settings.length + 2];
        args[0] = "serve";
        args[1] = "--print-config";
        System.arraycopy(settings, 0, args, 2, settings.length);
        return CommandRun.of(args);
    }

    @Test
    void everySettingIsAFlagExceptSecrets() {
        String help = CommandRun.of("serve", "--help").out();
        for (ConfigKey<?> key : ConfigKeys.ALL) {
            if (key.isSecret()) {
                CommandRun run = print(key.flag() + "=hush");
                assertThat(run.exitCode()).isEqualTo(2);
                assertThat(run.err()).contains(key.environmentName()).doesNotContain("hush");
            } else if (!key.equals(ConfigKeys.MODELS)) {
                assertThat(help).containsPattern(key.flag() + "(=|\\[=)");
            }
        }
    }

    @Test
    void everySettingIsPrintedWithItsOrigin() throws IOException {
        Path file = Files.writeString(folder.resolve("c.yaml"), "port: 1\nmax-choices: 2\n");
        CommandRun run = print("--config", file.toString(), "--port=3", "--exact", "a.gguf", "b=c.gguf");
        assertThat(run.exitCode()).isZero();
        assertThat(run.out().lines())
                .contains(
                        "port: 3  # flag --port",
                        "max-choices: 2  # " + file + ":2",
                        "exact: true  # flag --exact",
                        "models: [\"a.gguf\", \"b=c.gguf\"]  # flag --models",
                        "log-level: info  # default")
                .hasSize(ConfigKeys.ALL.size());
    }

    @Test
    void modelsAreNamedInOneWay() {
        assertThat(print("--models", "a.gguf").out()).contains("models: [\"a.gguf\"]  # flag --models");
        CommandRun both = print("a.gguf", "--models", "b.gguf");
        assertThat(both.exitCode()).isEqualTo(2);
        assertThat(both.err()).contains("either alone or with --models");
    }

    @Test
    void aListMayBeGivenInSeveralFlags() {
        CommandRun run = print("--lora", "one=a", "--lora=two=b,three=c", "m.gguf");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("lora: [\"one=a\", \"two=b\", \"three=c\"]  # flag --lora");
    }

    @Test
    void mistakesAreWrongUsage() {
        CommandRun value = print("--port", "http");
        assertThat(value.exitCode()).isEqualTo(2);
        assertThat(value.err()).contains("flag --port: port: expected an integer 0 to 65535, got 'http'");
        CommandRun name = print("--prot", "1");
        assertThat(name.exitCode()).isEqualTo(2);
        assertThat(name.err()).contains("--prot");
    }
}

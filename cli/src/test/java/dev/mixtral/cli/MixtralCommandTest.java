package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MixtralCommandTest {
    @ParameterizedTest
    @ValueSource(strings = {"--help", "help"})
    void helpIsAResult(String arg) {
        CommandRun run = CommandRun.of(arg);

        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).contains("Usage: mixtral").contains("--version");
        assertThat(run.err()).isEmpty();
    }

    @Test
    void versionComesFromTheBuild() {
        CommandRun run = CommandRun.of("--version");

        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).matches("(?s)mixtral-java \\d+\\.\\d+\\S*, Java \\S+\\R");
    }

    @Test
    void wrongUsageGoesToStderrWithCodeTwo() {
        assertUsageError(CommandRun.of(), "a command is missing");
        assertUsageError(CommandRun.of("no-such-command"), "no-such-command");
        assertUsageError(CommandRun.of("--no-such-option"), "--no-such-option");
    }

    private static void assertUsageError(CommandRun run, String message) {
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains(message).contains("mixtral --help");
    }
}

package dev.mixtral.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// One command run in-process, with its streams captured.
///
/// @param exitCode what the process would have ended with
/// @param out standard output
/// @param err standard error
record CommandRun(int exitCode, String out, String err) {
    /// Runs a command that reads nothing, at an empty home.
    static CommandRun of(String... args) {
        return of(Path.of("no-such-home"), "", args);
    }

    /// Runs a command.
    ///
    /// @param home the folder in which the program looks for its own model
    /// @param input standard input, which is not a terminal
    static CommandRun of(Path home, String input, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                Terminal.utf8(out),
                Terminal.utf8(err),
                false,
                false,
                home,
                false);
        int exitCode = MixtralCommand.run(terminal, args);
        return new CommandRun(exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}

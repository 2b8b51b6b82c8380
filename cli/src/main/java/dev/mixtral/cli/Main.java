package dev.mixtral.cli;

/// Entry point of the process: connects a [Terminal] to the real streams and ends with the command's exit code.
public final class Main {
    private Main() {}

    /// Runs one command and ends the process.
    public static void main(String[] args) {
        Terminal terminal = Terminal.ofProcess();
        LogOutput.install(terminal);
        int exitCode = MixtralCommand.run(terminal, args);
        terminal.flush();
        System.exit(exitCode);
    }
}

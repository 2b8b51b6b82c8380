package dev.mixtral.cli;

import dev.mixtral.cli.OptionChecks.UsageException;
import dev.mixtral.error.MixtralException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/// Turns whatever a command throws into one clear line on stderr and an exit code.
final class Failures {
    private Failures() {}

    /// Prints the failure.
    ///
    /// @param debug whether the stack trace is wanted as well
    /// @return the exit code
    static int report(Throwable failure, Terminal terminal, boolean debug) {
        terminal.out().flush();
        if (failure instanceof UsageException) {
            terminal.err().println("mixtral: " + failure.getMessage());
            return CommandLine.ExitCode.USAGE;
        }
        terminal.err().println("mixtral: " + describe(failure));
        if (debug) {
            failure.printStackTrace(terminal.err());
        }
        return CommandLine.ExitCode.SOFTWARE;
    }

    /// Prints what is wrong with the command line, and where help is.
    ///
    /// @return the exit code
    static int reportUsage(ParameterException failure, Terminal terminal) {
        String command = failure.getCommandLine().getCommandSpec().qualifiedName();
        terminal.err().println("mixtral: " + failure.getMessage());
        terminal.err().println("`" + command + " --help` shows what there is.");
        return CommandLine.ExitCode.USAGE;
    }

    /// Whether a failure's own message names the file as well as the reason; of some reasons it does not.
    private static boolean tellsMore(UncheckedIOException failure) {
        Throwable cause = failure.getCause();
        boolean isKnown = cause instanceof NoSuchFileException || cause instanceof AccessDeniedException;
        return cause != null
                && !isKnown
                && String.valueOf(failure.getMessage()).endsWith(": " + cause.getMessage())
                && !String.valueOf(failure.getMessage()).equals(cause.toString());
    }

    /// Returns what went wrong, for people.
    static String describe(Throwable failure) {
        return switch (failure) {
            case MixtralException known -> String.valueOf(known.getMessage());
            case UncheckedIOException wrapped when tellsMore(wrapped) -> String.valueOf(wrapped.getMessage());
            case UncheckedIOException wrapped when wrapped.getCause() != null -> describe(wrapped.getCause());
            case NoSuchFileException missing -> "there is no file " + missing.getFile();
            case AccessDeniedException denied -> "no permission to open " + denied.getFile();
            case IOException io -> "input or output failed: " + io.getMessage();
            case OutOfMemoryError memory ->
                "out of memory (" + memory.getMessage() + "). Give the JVM more with MIXTRAL_JAVA_OPTS=-Xmx16g, or ask"
                        + " for a smaller --context.";
            default ->
                "internal error: " + failure + ". This is a defect of the program; --debug shows where it happened.";
        };
    }
}

package dev.mixtral.cli;

/// Checks of option values that picocli cannot express.
final class OptionChecks {
    private OptionChecks() {}

    /// The command line asks for something impossible: exit code 2.
    static final class UsageException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    /// Requires an option's number to be 1 or more.
    static void requirePositive(String option, int value) {
        require(value > 0, option + ": expected a positive number, got " + value);
    }

    /// Requires something of the command line.
    static void require(boolean condition, String message) {
        if (!condition) {
            throw new UsageException(message);
        }
    }
}

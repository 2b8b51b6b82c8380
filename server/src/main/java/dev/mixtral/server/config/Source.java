package dev.mixtral.server.config;

import java.nio.file.Path;

/// Where a value came from.
public sealed interface Source {
    /// Nobody set it.
    record Default() implements Source {
        @Override
        public String toString() {
            return "default";
        }
    }

    /// The configuration file.
    record File(Path path, int line) implements Source {
        @Override
        public String toString() {
            return path + ":" + line;
        }
    }

    /// An environment variable.
    record Environment(String name) implements Source {
        @Override
        public String toString() {
            return "environment " + name;
        }
    }

    /// A flag of the command line.
    record Flag(String name) implements Source {
        @Override
        public String toString() {
            return "flag " + name;
        }
    }
}

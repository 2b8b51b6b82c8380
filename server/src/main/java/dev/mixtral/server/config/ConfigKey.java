package dev.mixtral.server.config;

import java.util.Locale;

/// One thing that can be set. Immutable; equal by identity of the constants in [ConfigKeys].
///
/// @param name lower case with dashes, the unit at its end
/// @param section heading under which it is documented
/// @param type how its values are written
/// @param defaultValue the value where nobody sets it
/// @param isSecret whether its value must not be shown, nor be given as a flag, which every user of a machine can see
/// @param description what it does, one sentence or two
public record ConfigKey<T>(
        String name, Section section, ValueType<T> type, T defaultValue, boolean isSecret, String description) {
    /// Before the name of every environment variable.
    public static final String ENVIRONMENT_PREFIX = "MIXTRAL_";

    /// The parts of the documentation.
    public enum Section {
        /// Where the server listens and what it serves.
        SERVER,
        /// Who may use it.
        ACCESS,
        /// How models are computed.
        ENGINE,
        /// Sizes and times that requests are held to.
        LIMITS,
        /// What is written about requests.
        LOGGING
    }

    /// Returns the flag that sets it, or, for a secret, that would.
    public String flag() {
        return "--" + name;
    }

    /// Returns the environment variable that sets it.
    public String environmentName() {
        return ENVIRONMENT_PREFIX + name.toUpperCase(Locale.ROOT).replace('-', '_');
    }
}

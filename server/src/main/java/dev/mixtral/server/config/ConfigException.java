package dev.mixtral.server.config;

/// A setting is unknown, misplaced or has an impossible value. The message names the setting, where it was set, what
/// was expected and what was found; never a secret.
public final class ConfigException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param message what is wrong, where, and what to do
    public ConfigException(String message) {
        super(message);
    }
}

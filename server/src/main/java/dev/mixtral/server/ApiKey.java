package dev.mixtral.server;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Set;

/// A key that clients show. Immutable.
///
/// @param name what logs and metrics call its owner; never the secret
/// @param secret what the client sends
/// @param models ids of the models that it may use; empty for all
public record ApiKey(String name, String secret, Set<String> models) {
    public ApiKey {
        if (secret.isBlank()) {
            throw new IllegalArgumentException("API key '" + name + "' is empty");
        }
        models = Set.copyOf(models);
    }

    /// Returns whether the text is this key's secret, in a time that tells nothing about where they differ.
    public boolean matches(String shown) {
        return MessageDigest.isEqual(secret.getBytes(StandardCharsets.UTF_8), shown.getBytes(StandardCharsets.UTF_8));
    }

    /// Returns whether the key may use a model.
    public boolean allows(String model) {
        return models.isEmpty() || models.contains(model);
    }

    /// Names the key without its secret.
    @Override
    public String toString() {
        return "ApiKey[" + name + "]";
    }
}

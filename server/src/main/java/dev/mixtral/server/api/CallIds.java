package dev.mixtral.server.api;

import dev.mixtral.sampling.CounterRandom;
import java.security.SecureRandom;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Gives tool calls their ids: nine letters and digits, the only form that Mistral's own validators take. Models write
/// ids too, but the same ones over and over, and clients keep calls apart by them. Confined to one thread.
///
/// With a seed, equal requests get equal ids, and other prompts get others.
final class CallIds {
    private static final String CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private static final int LENGTH = 9;
    private static final long MIX = 0x9E3779B97F4A7C15L;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final long key;
    private long counter;

    /// @param seed the request's, or `null` for none
    /// @param choice the choice that makes the calls
    CallIds(@Nullable Long seed, int[] prompt, int choice) {
        this.key = seed == null ? RANDOM.nextLong() : (seed * MIX + Arrays.hashCode(prompt)) * MIX + choice;
    }

    /// Returns the next id.
    String next() {
        StringBuilder id = new StringBuilder();
        for (int i = 0; i < LENGTH; i++) {
            id.append(CHARACTERS.charAt((int) (CounterRandom.uniform(key, counter++) * CHARACTERS.length())));
        }
        return id.toString();
    }
}

package dev.mixtral.grammar.automaton;

import dev.mixtral.grammar.regex.Regex;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A lexeme that may be read here or is being read: what is left of it, and what comes after it. Immutable.
///
/// @param rest what is left of the lexeme
/// @param after where the parser goes on, or null if that depends on the text
/// @param stack the rules open around the lexeme
/// @param capture the edge whose text matters, or null
/// @param text what was read of such a lexeme; never changed
record Item(Regex rest, @Nullable State after, Stack stack, Edge.@Nullable Capture capture, byte[] text) {
    private static final byte[] NO_TEXT = {};

    static Item of(Regex rest, State after, Stack stack) {
        return new Item(rest, after, stack, null, NO_TEXT);
    }

    static Item of(Edge.Capture capture, Stack stack) {
        return new Item(capture.regex(), null, stack, capture, NO_TEXT);
    }

    /// Returns whether the item remembers a text, so that hardly another one is equal to it.
    boolean isTransient() {
        return text.length > 0;
    }

    /// Returns the item after one more byte.
    Item with(Regex rest, int value) {
        if (capture == null) {
            return new Item(rest, after, stack, null, NO_TEXT);
        }
        byte[] longer = java.util.Arrays.copyOf(text, text.length + 1);
        longer[text.length] = (byte) value;
        return new Item(rest, null, stack, capture, longer);
    }

    /// Returns where the parser goes on after the text so far and `more`.
    State target(byte[] more) {
        if (after != null) {
            return after;
        }
        byte[] whole = java.util.Arrays.copyOf(text, text.length + more.length);
        System.arraycopy(more, 0, whole, text.length, more.length);
        return Objects.requireNonNull(capture).target().apply(whole);
    }
}

package dev.mixtral.jinja;

import java.time.Clock;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What one rendering may use up: time, characters, nodes of a value. Confined to its [RenderThread].
///
/// Every operation of a template goes through [#tick()] or [#check(Object)]. Values cannot be changed once they are
/// made, so a value that is small enough when it is made bounds every later operation on it.
final class RenderScope {
    /// Characters of one string, and of the output.
    static final int MAX_STRING = 1 << 22;
    /// Characters of all strings that a rendering makes.
    private static final long MAX_CHARACTERS = 1L << 26;
    /// Elements of a container, those of its elements included.
    private static final int MAX_NODES = 500_000;

    private static final int MAX_DEPTH = 100;

    private final long deadlineNanos;
    private final Clock clock;
    private long numCharacters;
    private @Nullable String raised;

    RenderScope(long timeoutNanos, Clock clock) {
        this.deadlineNanos = System.nanoTime() + timeoutNanos;
        this.clock = clock;
    }

    /// Returns the scope of the running thread.
    static RenderScope current() {
        if (Thread.currentThread() instanceof RenderThread thread) {
            return thread.scope();
        }
        throw new IllegalStateException("templates run on a RenderThread only");
    }

    Clock clock() {
        return clock;
    }

    /// Returns what the template said when it refused the conversation, or `null`.
    @Nullable
    String raised() {
        return raised;
    }

    /// Notes that the template refuses the conversation: nothing more of it is rendered.
    void raise(String message) {
        raised = raised == null ? message : raised;
    }

    /// Ends the rendering if its time is over or the template has refused.
    void tick() {
        if (System.nanoTime() - deadlineNanos > 0 || Thread.currentThread().isInterrupted()) {
            throw new RenderAbort("it takes too long");
        }
        if (raised != null) {
            throw new RenderAbort(Objects.requireNonNull(raised));
        }
    }

    /// Accounts for characters that are about to be made.
    void charge(long characters) {
        tick();
        numCharacters += characters;
        if (characters > MAX_STRING || numCharacters > MAX_CHARACTERS) {
            throw new RenderAbort(
                    "it makes more text than " + MAX_STRING + " characters at once or " + MAX_CHARACTERS + " in all");
        }
    }

    /// Accounts for a new value and returns it.
    @Nullable
    Object check(@Nullable Object value) {
        if (value instanceof CharSequence text) {
            charge(text.length());
        } else if (value instanceof Collection<?> || value instanceof Map<?, ?>) {
            tick();
            count(value, 0, 0);
        }
        return value;
    }

    private static int count(@Nullable Object value, int before, int depth) {
        int nodes = before + 1;
        if (nodes > MAX_NODES || depth > MAX_DEPTH) {
            throw new RenderAbort("it makes a list or dictionary that is too large or too deep");
        }
        // Depth 1 is the list that Jinjava wraps around the value of every {% set %}.
        if (value instanceof TemplateNamespace && depth > 1) {
            throw new RenderAbort("it puts a namespace into another value");
        }
        Collection<?> elements = switch (value) {
            case Map<?, ?> map -> map.values();
            case Collection<?> collection -> collection;
            case null, default -> List.of();
        };
        for (Object element : elements) {
            nodes = count(element, nodes, depth + 1);
        }
        return nodes;
    }
}

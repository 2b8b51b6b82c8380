package dev.mixtral.grammar.regex;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A regular language over bytes, and at the same time a state of its automaton: the state after a byte is the
/// derivative. Made by one [RegexPool] only, where equal expressions are one object.
///
/// Immutable as far as anyone can see; what it remembers (derivatives, whether it is empty) is filled in by the
/// pool under its lock, and may be read without it, because each remembered object is final itself.
public final class Regex {
    enum Kind {
        EMPTY,
        EPSILON,
        BYTES,
        CONCAT,
        OR,
        AND,
        NOT,
        REPEAT,
        AUTOMATON
    }

    /// What is known about the language having any text.
    enum Liveness {
        UNKNOWN,
        LIVE,
        DEAD
    }

    /// [#max()] of a repetition without an end.
    static final int UNBOUNDED = -1;

    final int id;
    final Kind kind;
    final boolean nullable;
    /// Without intersection, complement and automata, an expression that is not EMPTY has a text.
    final boolean surelyLive;
    /// How deep a derivative has to look into the expression.
    final int depth;
    final ByteSet bytes;
    final List<Regex> parts;
    final int min;
    final int max;
    final @Nullable Dfa dfa;
    final int dfaState;

    volatile Liveness liveness = Liveness.UNKNOWN;
    volatile @Nullable Partition partition;
    /// By class of the partition; null where the derivative is not known yet.
    volatile @Nullable Regex @Nullable [] derivatives;

    Regex(int id, RegexPool.Key key, boolean nullable, boolean surelyLive, int depth) {
        this.id = id;
        this.kind = key.kind();
        this.bytes = key.bytes();
        this.parts = key.parts();
        this.min = key.min();
        this.max = key.max();
        this.dfa = key.dfa();
        this.dfaState = key.dfaState();
        this.nullable = nullable;
        this.surelyLive = surelyLive;
        this.depth = depth;
    }

    /// Returns whether the empty text belongs to the language.
    public boolean nullable() {
        return nullable;
    }

    /// Returns whether this is the expression for the empty language. Others may be empty too: see
    /// [RegexPool#isEmpty(Regex)].
    public boolean isNothing() {
        return kind == Kind.EMPTY;
    }

    /// Returns a number that no other expression of the pool has.
    public int id() {
        return id;
    }

    Regex first() {
        return parts.getFirst();
    }

    Regex rest() {
        return parts.get(1);
    }

    @Override
    public String toString() {
        return switch (kind) {
            case EMPTY -> "∅";
            case EPSILON -> "ε";
            case BYTES -> describe(bytes);
            case CONCAT -> parts.getFirst() + "" + parts.get(1);
            case OR -> join("|");
            case AND -> join("&");
            case NOT -> "~" + parts.getFirst();
            case REPEAT -> "(" + parts.getFirst() + "){" + min + "," + (max == UNBOUNDED ? "" : max) + "}";
            case AUTOMATON -> "<" + dfaState + ">";
        };
    }

    private String join(String separator) {
        return "(" + String.join(separator, parts.stream().map(Regex::toString).toList()) + ")";
    }

    private static String describe(ByteSet set) {
        StringBuilder text = new StringBuilder("[");
        for (int from = 0; from < 256; from++) {
            if (set.contains(from)) {
                int to = from;
                while (to < 255 && set.contains(to + 1)) {
                    to++;
                }
                text.append(name(from)).append(from == to ? "" : "-" + name(to));
                from = to;
            }
        }
        return text.append(']').toString();
    }

    private static String name(int value) {
        return value > 0x20 && value < 0x7f ? String.valueOf((char) value) : String.format("\\x%02x", value);
    }
}

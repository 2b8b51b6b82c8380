package dev.mixtral.grammar.regex;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.Regex.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Makes expressions, each one once. Not thread-safe: whoever shares a pool guards it with one lock.
///
/// Constructors simplify just enough to keep the number of derivatives finite and small.
public final class RegexPool {
    /// What makes an expression itself.
    record Key(
            Kind kind,
            ByteSet bytes,
            List<Regex> parts,
            int min,
            int max,
            @Nullable Dfa dfa,
            int dfaState) {}

    /// Bounds the recursion of derivatives.
    private static final int MAX_DEPTH = 1_000;

    private static final Comparator<Regex> BY_ID = Comparator.comparingInt(Regex::id);

    private final Map<Key, Regex> known = new HashMap<>();
    private final Derivatives derivatives = new Derivatives(this);
    private final Map<Partition, Partition> partitions = new HashMap<>();
    private final Regex nothing;
    private final Regex epsilon;
    private final Regex everything;
    private long fuel = Long.MAX_VALUE;

    public RegexPool() {
        nothing = intern(new Key(Kind.EMPTY, ByteSet.NONE, List.of(), 0, 0, null, 0), false, false);
        epsilon = intern(new Key(Kind.EPSILON, ByteSet.NONE, List.of(), 0, 0, null, 0), true, true);
        everything = intern(new Key(Kind.NOT, ByteSet.NONE, List.of(nothing), 0, 0, null, 0), true, true);
    }

    /// Limits the work from here on.
    ///
    /// @param numExpressions so many new expressions may be made, large ones counting by their parts; further
    ///     ones end in a [GrammarException] with [Reason#TOO_LARGE]
    public void refuel(long numExpressions) {
        fuel = numExpressions;
    }

    /// Returns what is left of the work that [#refuel(long)] allowed.
    public long fuel() {
        return fuel;
    }

    /// Returns how many expressions the pool holds.
    public int size() {
        return known.size();
    }

    private Regex intern(Key key, boolean nullable, boolean surelyLive) {
        Regex found = known.get(key);
        if (found != null) {
            return found;
        }
        fuel -= key.kind() == Kind.OR || key.kind() == Kind.AND
                ? 1 + key.parts().size()
                : 1;
        if (fuel < 0) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "the automaton grows beyond its limit; simplify patterns and counts");
        }
        int depth = depth(key);
        if (depth > MAX_DEPTH) {
            throw new GrammarException(
                    Reason.TOO_LARGE,
                    "",
                    "",
                    "nests or lines up more than " + MAX_DEPTH + " optional parts; simplify it");
        }
        Regex made = new Regex(known.size(), key, nullable, surelyLive, depth);
        known.put(key, made);
        return made;
    }

    private static int depth(Key key) {
        int depth = 0;
        for (int i = 0; i < key.parts().size(); i++) {
            // Behind a first part that cannot be empty, a derivative does not look.
            if (key.kind() != Kind.CONCAT || i == 0 || key.parts().getFirst().nullable) {
                depth = Math.max(depth, key.parts().get(i).depth);
            }
        }
        return depth + 1;
    }

    Partition intern(Partition partition) {
        return partitions.computeIfAbsent(partition, p -> p);
    }

    /// Returns the empty language.
    public Regex nothing() {
        return nothing;
    }

    /// Returns the language of the empty text.
    public Regex epsilon() {
        return epsilon;
    }

    /// Returns the language of all byte strings.
    public Regex everything() {
        return everything;
    }

    /// Returns the language of the single bytes of a set.
    Regex bytes(ByteSet set) {
        return set.isEmpty() ? nothing : intern(new Key(Kind.BYTES, set, List.of(), 0, 0, null, 0), false, true);
    }

    /// Returns the language of the single bytes `from` to `to`.
    public Regex range(int from, int to) {
        return bytes(ByteSet.range(from, to));
    }

    /// Returns the language of one text.
    public Regex literal(byte[] text) {
        Regex result = epsilon;
        for (int i = text.length - 1; i >= 0; i--) {
            result = concat(range(text[i] & 0xff, text[i] & 0xff), result);
        }
        return result;
    }

    /// Returns the language of one ASCII text.
    public Regex literal(String ascii) {
        return literal(ascii.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    /// Returns the language of some texts, shaped like a trie so that its derivatives stay small.
    public Regex literals(Collection<byte[]> texts) {
        TreeSet<byte[]> set = new TreeSet<>(Arrays::compareUnsigned);
        set.addAll(texts);
        List<byte[]> sorted = new ArrayList<>(set);
        return trie(sorted, 0, sorted.size(), 0);
    }

    private Regex trie(List<byte[]> sorted, int from, int to, int depth) {
        if (from == to) {
            return nothing;
        }
        if (to - from == 1) {
            byte[] text = sorted.get(from);
            return literal(Arrays.copyOfRange(text, depth, text.length));
        }
        List<Regex> branches = new ArrayList<>();
        int i = from;
        if (i < to && sorted.get(i).length == depth) {
            branches.add(epsilon);
            i++;
        }
        while (i < to) {
            byte value = sorted.get(i)[depth];
            int end = i;
            while (end < to && sorted.get(end)[depth] == value) {
                end++;
            }
            branches.add(concat(range(value & 0xff, value & 0xff), trie(sorted, i, end, depth + 1)));
            i = end;
        }
        return or(branches);
    }

    /// Returns the texts of `a` followed by texts of `b`.
    public Regex concat(Regex a, Regex b) {
        if (a == nothing || b == nothing) {
            return nothing;
        }
        if (a == epsilon) {
            return b;
        }
        if (b == epsilon) {
            return a;
        }
        if (a.kind == Kind.CONCAT) {
            return concat(a.first(), concat(a.rest(), b));
        }
        return intern(
                new Key(Kind.CONCAT, ByteSet.NONE, List.of(a, b), 0, 0, null, 0),
                a.nullable && b.nullable,
                a.surelyLive && b.surelyLive);
    }

    /// Returns the texts of all parts, one after the other.
    public Regex concat(List<Regex> parts) {
        Regex result = epsilon;
        for (int i = parts.size() - 1; i >= 0; i--) {
            result = concat(parts.get(i), result);
        }
        return result;
    }

    /// Returns the texts of either.
    public Regex or(Regex a, Regex b) {
        if (a == nothing || a == b) {
            return b;
        }
        return b == nothing ? a : or(List.of(a, b));
    }

    /// Returns the texts of any.
    public Regex or(Collection<Regex> parts) {
        TreeSet<Regex> flat = new TreeSet<>(BY_ID);
        for (Regex part : parts) {
            if (part == everything) {
                return everything;
            }
            if (part.kind == Kind.OR) {
                flat.addAll(part.parts);
            } else if (part != nothing) {
                flat.add(part);
            }
        }
        List<Regex> merged = mergeHeads(flat);
        if (merged.size() < 2) {
            return merged.isEmpty() ? nothing : merged.getFirst();
        }
        return intern(
                new Key(Kind.OR, ByteSet.NONE, merged, 0, 0, null, 0),
                merged.stream().anyMatch(part -> part.nullable),
                merged.stream().anyMatch(part -> part.surelyLive));
    }

    /// Unites alternatives that begin with one byte and go on alike.
    private List<Regex> mergeHeads(Set<Regex> flat) {
        Map<Regex, ByteSet> headsByTail = new LinkedHashMap<>();
        TreeSet<Regex> result = new TreeSet<>(BY_ID);
        for (Regex part : flat) {
            if (part.kind == Kind.BYTES) {
                headsByTail.merge(epsilon, part.bytes, ByteSet::or);
            } else if (part.kind == Kind.CONCAT && part.first().kind == Kind.BYTES) {
                headsByTail.merge(part.rest(), part.first().bytes, ByteSet::or);
            } else {
                result.add(part);
            }
        }
        headsByTail.forEach((tail, heads) -> result.add(concat(bytes(heads), tail)));
        return List.copyOf(result);
    }

    /// Returns the texts of both.
    public Regex and(Regex a, Regex b) {
        if (a == b || b == everything) {
            return a;
        }
        return a == everything ? b : and(List.of(a, b));
    }

    /// Returns the texts that belong to all.
    public Regex and(Collection<Regex> parts) {
        TreeSet<Regex> flat = new TreeSet<>(BY_ID);
        for (Regex part : parts) {
            if (part == nothing) {
                return nothing;
            }
            if (part.kind == Kind.AND) {
                flat.addAll(part.parts);
            } else if (part != everything) {
                flat.add(part);
            }
        }
        for (Regex part : flat) {
            if (part.kind == Kind.NOT && flat.contains(part.first())) {
                return nothing;
            }
        }
        if (flat.contains(epsilon)) {
            return flat.stream().allMatch(part -> part.nullable) ? epsilon : nothing;
        }
        if (flat.size() < 2) {
            return flat.isEmpty() ? everything : flat.first();
        }
        if (flat.stream().allMatch(part -> part.kind == Kind.BYTES)) {
            return bytes(flat.stream().map(part -> part.bytes).reduce(ByteSet.ALL, ByteSet::and));
        }
        return intern(
                new Key(Kind.AND, ByteSet.NONE, List.copyOf(flat), 0, 0, null, 0),
                flat.stream().allMatch(part -> part.nullable),
                false);
    }

    /// Returns all byte strings that are not in `a`.
    public Regex not(Regex a) {
        if (a.kind == Kind.NOT) {
            return a.first();
        }
        return intern(new Key(Kind.NOT, ByteSet.NONE, List.of(a), 0, 0, null, 0), !a.nullable, false);
    }

    /// Returns the texts of `a` that are not in `b`.
    public Regex minus(Regex a, Regex b) {
        return b == nothing ? a : and(a, not(b));
    }

    /// Returns `a` at least `min` times, without an upper bound.
    public Regex atLeast(Regex a, int min) {
        return repeat(a, min, Regex.UNBOUNDED);
    }

    /// Returns `a` or nothing.
    public Regex optional(Regex a) {
        return or(a, epsilon);
    }

    /// Returns `a`, `min` to `max` times.
    ///
    /// @param max -1 for no upper bound
    public Regex repeat(Regex a, int min, int max) {
        if (max != Regex.UNBOUNDED && max < min) {
            throw new IllegalArgumentException("repetition {" + min + "," + max + "}");
        }
        if (max == 0 || a == epsilon) {
            return epsilon;
        }
        if (a == nothing) {
            return min == 0 ? epsilon : nothing;
        }
        if (min == 1 && max == 1) {
            return a;
        }
        if (a.kind == Kind.REPEAT && a.min == 0 && a.max == Regex.UNBOUNDED) {
            return a;
        }
        // Copies of a nullable part may all be empty, so fewer than min are as good.
        int least = a.nullable ? 0 : min;
        return intern(
                new Key(Kind.REPEAT, ByteSet.NONE, List.of(a), least, max, null, 0),
                least == 0,
                least == 0 || a.surelyLive);
    }

    /// Returns the language of an automaton.
    public Regex automaton(Dfa dfa) {
        return automaton(dfa, dfa.start());
    }

    Regex automaton(Dfa dfa, int state) {
        return state == Dfa.DEAD
                ? nothing
                : intern(
                        new Key(Kind.AUTOMATON, ByteSet.NONE, List.of(), 0, 0, dfa, state),
                        dfa.accepts(state),
                        dfa.accepts(state));
    }

    /// Returns what may follow a byte: the texts `t` for which `value` + `t` is in `a`. The empty language is
    /// always [#nothing()].
    ///
    /// @param value 0 to 255
    public Regex step(Regex a, int value) {
        return derivatives.step(a, value);
    }

    /// Returns whether the language has no text.
    public boolean isEmpty(Regex a) {
        return !derivatives.isLive(a);
    }

    /// Returns which bytes the expression cannot tell apart.
    public Partition partition(Regex a) {
        return derivatives.partition(a);
    }

    /// Returns the expression that begins like `a` and goes on like it for `length` bytes, but is the same for
    /// all repetition counts that a text so short cannot tell apart.
    public Regex clamp(Regex a, int length) {
        Regex head = a.kind == Kind.CONCAT ? a.first() : a;
        if (head.kind != Kind.REPEAT || (head.min <= length && head.max <= length)) {
            return a;
        }
        int max = head.max == Regex.UNBOUNDED ? head.max : Math.min(head.max, length + 1);
        Regex clamped = repeat(head.first(), Math.min(head.min, length + 1), max);
        return a.kind == Kind.CONCAT ? concat(clamped, a.rest()) : clamped;
    }

    /// Returns how many times `unit` may still come at the beginning of `a`: -1 if the expression does not begin
    /// with a repetition of it, and the largest integer if there is no bound.
    public static int leadingRepeats(Regex a, Regex unit) {
        if (a.kind != Kind.CONCAT || a.first().kind != Kind.REPEAT || a.first().first() != unit) {
            return -1;
        }
        return a.first().max == Regex.UNBOUNDED ? Integer.MAX_VALUE : a.first().max;
    }

    /// Returns what follows the leading repetition of [#leadingRepeats(Regex, Regex)].
    public static Regex behindRepeats(Regex a) {
        return a.rest();
    }

    /// Returns the parts of an intersection, or the expression itself.
    public static List<Regex> conjuncts(Regex a) {
        return a.kind == Kind.AND ? a.parts : List.of(a);
    }

    /// Returns whether the language surely has a finite number of texts, by the looks of the expression.
    public static boolean isSurelyFinite(Regex a) {
        Regex rest = a;
        // Concatenations nest to the right, as deep as a literal is long.
        while (rest.kind == Kind.CONCAT) {
            if (!isSurelyFinite(rest.first())) {
                return false;
            }
            rest = rest.rest();
        }
        return switch (rest.kind) {
            case EMPTY, EPSILON, BYTES -> true;
            case CONCAT, OR -> rest.parts.stream().allMatch(RegexPool::isSurelyFinite);
            case AND -> rest.parts.stream().anyMatch(RegexPool::isSurelyFinite);
            case REPEAT -> rest.max != Regex.UNBOUNDED && isSurelyFinite(rest.first());
            case NOT, AUTOMATON -> false;
        };
    }

    /// Returns what a complement is of, or null.
    public static @Nullable Regex negated(Regex a) {
        return a.kind == Kind.NOT ? a.first() : null;
    }

    /// Returns whether a text belongs to the language.
    public boolean matches(Regex a, byte[] text) {
        Regex state = a;
        for (byte value : text) {
            state = step(state, value & 0xff);
        }
        return state.nullable;
    }

    /// Returns the number of texts of the language, or `limit` if there are at least so many.
    public int count(Regex a, int limit) {
        return derivatives.count(a, limit);
    }
}

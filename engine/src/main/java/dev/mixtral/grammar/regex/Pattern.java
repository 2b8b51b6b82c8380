package dev.mixtral.grammar.regex;

import java.util.List;

/// A parsed ECMA-262 pattern. Immutable.
sealed interface Pattern {
    /// One character of a set.
    record Characters(CodePoints set) implements Pattern {}

    /// One part after the other.
    record Sequence(List<Pattern> parts) implements Pattern {}

    /// One part of several.
    record Alternatives(List<Pattern> parts) implements Pattern {}

    /// A part, several times.
    ///
    /// @param max -1 for no upper bound
    record Repeat(Pattern part, int min, int max) implements Pattern {}

    /// `^`.
    record Start() implements Pattern {}

    /// `$`.
    record End() implements Pattern {}

    /// `(?=…)`, or `(?!…)` if negative.
    record LookAhead(Pattern part, boolean negative) implements Pattern {}

    /// Returns whether the pattern has `^`, `$` or a look-ahead anywhere.
    default boolean hasAssertion() {
        return switch (this) {
            case Characters c -> false;
            case Sequence s -> s.parts().stream().anyMatch(Pattern::hasAssertion);
            case Alternatives a -> a.parts().stream().anyMatch(Pattern::hasAssertion);
            case Repeat r -> r.part().hasAssertion();
            case Start s -> true;
            case End e -> true;
            case LookAhead l -> true;
        };
    }

    /// Returns whether the pattern has `^` anywhere outside look-aheads.
    default boolean hasStart() {
        return switch (this) {
            case Sequence s -> s.parts().stream().anyMatch(Pattern::hasStart);
            case Alternatives a -> a.parts().stream().anyMatch(Pattern::hasStart);
            case Repeat r -> r.part().hasStart();
            case Start s -> true;
            case Characters c -> false;
            case End e -> false;
            case LookAhead l -> l.part().hasStart();
        };
    }

    /// Returns whether some match takes no character.
    default boolean mayBeEmpty() {
        return switch (this) {
            case Characters c -> false;
            case Sequence s -> s.parts().stream().allMatch(Pattern::mayBeEmpty);
            case Alternatives a -> a.parts().stream().anyMatch(Pattern::mayBeEmpty);
            case Repeat r -> r.min() == 0 || r.part().mayBeEmpty();
            case Start s -> true;
            case End e -> true;
            case LookAhead l -> true;
        };
    }

    /// Returns whether every match takes no character.
    default boolean isAlwaysEmpty() {
        return switch (this) {
            case Characters c -> false;
            case Sequence s -> s.parts().stream().allMatch(Pattern::isAlwaysEmpty);
            case Alternatives a -> a.parts().stream().allMatch(Pattern::isAlwaysEmpty);
            case Repeat r -> r.max() == 0 || r.part().isAlwaysEmpty();
            case Start s -> true;
            case End e -> true;
            case LookAhead l -> true;
        };
    }

    /// Returns whether `$` is the only assertion anywhere.
    default boolean hasOnlyEnds() {
        return switch (this) {
            case Characters c -> true;
            case Sequence s -> s.parts().stream().allMatch(Pattern::hasOnlyEnds);
            case Alternatives a -> a.parts().stream().allMatch(Pattern::hasOnlyEnds);
            case Repeat r -> r.part().hasOnlyEnds();
            case Start s -> false;
            case End e -> true;
            case LookAhead l -> false;
        };
    }

    /// Returns whether `^` is the only assertion anywhere.
    default boolean hasOnlyStarts() {
        return switch (this) {
            case Characters c -> true;
            case Sequence s -> s.parts().stream().allMatch(Pattern::hasOnlyStarts);
            case Alternatives a -> a.parts().stream().allMatch(Pattern::hasOnlyStarts);
            case Repeat r -> r.part().hasOnlyStarts();
            case Start s -> true;
            case End e -> false;
            case LookAhead l -> false;
        };
    }

    /// Returns the pattern without the matches that pass a `$`.
    default Pattern withoutEnds() {
        return switch (this) {
            case Characters c -> c;
            case Sequence s ->
                new Sequence(s.parts().stream().map(Pattern::withoutEnds).toList());
            case Alternatives a ->
                new Alternatives(a.parts().stream().map(Pattern::withoutEnds).toList());
            case Repeat r -> new Repeat(r.part().withoutEnds(), r.min(), r.max());
            case Start s -> s;
            case End e -> new Characters(CodePoints.NONE);
            case LookAhead l -> l;
        };
    }
}

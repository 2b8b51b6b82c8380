package dev.mixtral.grammar.regex;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.Pattern.Alternatives;
import dev.mixtral.grammar.regex.Pattern.Characters;
import dev.mixtral.grammar.regex.Pattern.End;
import dev.mixtral.grammar.regex.Pattern.LookAhead;
import dev.mixtral.grammar.regex.Pattern.Repeat;
import dev.mixtral.grammar.regex.Pattern.Sequence;
import dev.mixtral.grammar.regex.Pattern.Start;
import java.util.ArrayList;
import java.util.List;

/// Turns ECMA-262 patterns into expressions. Shares its pool's confinement.
///
/// Every part is built together with what follows it, so that `$` and look-aheads become intersections with the
/// rest of the text.
public final class PatternCompiler {
    private final RegexPool pool;
    private final TextForm form;

    public PatternCompiler(RegexPool pool, TextForm form) {
        this.pool = pool;
        this.form = form;
    }

    /// Returns the texts in which the pattern is found somewhere, with the form's end.
    ///
    /// @throws GrammarException if it is no pattern, or cannot be expressed
    public Regex search(String pattern) {
        Pattern parsed = PatternParser.parse(pattern, false);
        Regex rest = form.anyText();
        Regex atStart = build(parsed, rest, true);
        if (!parsed.hasStart()) {
            return pool.concat(pool.atLeast(form.anyCharacter(), 0), atStart);
        }
        Regex later = pool.concat(pool.atLeast(form.anyCharacter(), 1), build(parsed, rest, false));
        return pool.or(atStart, later);
    }

    /// Returns the texts that the pattern matches from end to end, with the form's end.
    ///
    /// @param dotMatchesAll whether `.` takes line ends too
    /// @throws GrammarException if it is no pattern, or cannot be expressed
    public Regex full(String pattern, boolean dotMatchesAll) {
        return build(PatternParser.parse(pattern, dotMatchesAll), form.end(), true);
    }

    private Regex build(Pattern pattern, Regex rest, boolean atStart) {
        return switch (pattern) {
            case Characters(CodePoints set) -> pool.concat(form.encode(set), rest);
            case Sequence(List<Pattern> parts) -> sequence(parts, rest, atStart);
            case Alternatives(List<Pattern> parts) -> {
                List<Regex> built = new ArrayList<>();
                parts.forEach(part -> built.add(build(part, rest, atStart)));
                yield pool.or(built);
            }
            case Repeat repeat -> repeat(repeat, rest, atStart);
            case Start() -> atStart ? rest : pool.nothing();
            case End() -> rest == form.anyText() ? form.end() : pool.and(rest, form.end());
            case LookAhead(Pattern part, boolean negative) -> {
                Regex seen = build(part, form.anyText(), atStart);
                yield negative ? pool.minus(rest, seen) : pool.and(rest, seen);
            }
        };
    }

    private Regex sequence(List<Pattern> parts, Regex rest, boolean atStart) {
        boolean[] starts = new boolean[parts.size()];
        boolean start = atStart;
        boolean certain = true;
        for (int i = 0; i < starts.length; i++) {
            if (!certain && parts.get(i).hasStart()) {
                throw unsupported("has ^ behind a part that may be empty");
            }
            starts[i] = start;
            if (start && !parts.get(i).isAlwaysEmpty()) {
                certain = !parts.get(i).mayBeEmpty();
                start = !certain;
            }
        }
        Regex result = rest;
        for (int i = starts.length - 1; i >= 0; i--) {
            result = build(parts.get(i), result, starts[i]);
        }
        return result;
    }

    private Regex repeat(Repeat repeat, Regex rest, boolean atStart) {
        Pattern part = repeat.part();
        if (!part.hasAssertion()) {
            return pool.concat(pool.repeat(build(part, pool.epsilon(), false), repeat.min(), repeat.max()), rest);
        }
        if (repeat.max() == 0) {
            return rest;
        }
        if (repeat.min() == 0 && repeat.max() == 1) {
            return pool.or(rest, build(part, rest, atStart));
        }
        if (repeat.min() == 1 && repeat.max() == 1) {
            return build(part, rest, atStart);
        }
        if (part.isAlwaysEmpty()) {
            return repeat.min() == 0 ? rest : build(part, rest, atStart);
        }
        if (part.hasOnlyEnds() && (!part.mayBeEmpty() || repeat.min() == 0)) {
            // Nothing but the last repetition that takes a character can pass a $.
            Regex open = build(part.withoutEnds(), pool.epsilon(), false);
            return pool.or(
                    pool.concat(pool.repeat(open, repeat.min(), repeat.max()), rest),
                    pool.concat(allButOne(repeat, open), build(part, rest, false)));
        }
        if (part.hasOnlyStarts() && !part.mayBeEmpty()) {
            // Nothing but the first repetition can be where the text begins.
            Regex behind = allButOne(repeat, build(part, pool.epsilon(), false));
            Regex some = build(part, pool.concat(behind, rest), atStart);
            return repeat.min() == 0 ? pool.or(rest, some) : some;
        }
        return tempered(repeat, rest);
    }

    private Regex allButOne(Repeat repeat, Regex part) {
        int max = repeat.max();
        return pool.repeat(part, Math.max(repeat.min() - 1, 0), max < 0 ? max : max - 1);
    }

    /// Builds `(?:(?!x)(?!y)c)*` at the end of a text: no character of it is where `x` or `y` begins.
    private Regex tempered(Repeat repeat, Regex rest) {
        if (!(repeat.part() instanceof Sequence(List<Pattern> parts))
                || parts.size() < 2
                || !(parts.getLast() instanceof Characters)
                || rest != form.end()) {
            throw repeatsAssertion();
        }
        List<Regex> heads = new ArrayList<>();
        for (Pattern part : parts.subList(0, parts.size() - 1)) {
            if (!(part instanceof LookAhead(Pattern ahead, boolean negative)) || !negative || ahead.hasStart()) {
                throw repeatsAssertion();
            }
            heads.add(build(ahead, form.anyText(), false));
        }
        Regex forbidden = pool.concat(
                pool.atLeast(form.anyCharacter(), 0), pool.and(pool.or(heads), form.length(1, Regex.UNBOUNDED)));
        Regex texts = pool.concat(
                pool.repeat(build(parts.getLast(), pool.epsilon(), false), repeat.min(), repeat.max()), rest);
        return pool.minus(texts, forbidden);
    }

    private static GrammarException repeatsAssertion() {
        return unsupported("repeats a part with an assertion (^, $ or a look-ahead)");
    }

    private static GrammarException unsupported(String problem) {
        return new GrammarException(
                Reason.UNSUPPORTED, "", "", problem + ", which cannot be enforced; rewrite the pattern");
    }
}

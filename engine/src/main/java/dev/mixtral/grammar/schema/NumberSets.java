package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.Facets.Numbers;
import java.math.BigDecimal;

/// Sets of numbers as languages of decimal texts. Exact: no floating point anywhere. Shares its pool's
/// confinement.
///
/// All texts have at most 20 digits before and 20 behind the point, so that no model can run away with `0.3333…`.
/// A text with an exponent, which a double can hold, is only written where nothing constrains the number.
final class NumberSets {
    private final RegexPool pool;
    private final Regex plain;
    private final Regex integers;
    private final Regex integerTexts;
    private final Numbers all;

    NumberSets(RegexPool pool) {
        this.pool = pool;
        PatternCompiler patterns = new PatternCompiler(pool, TextForm.plain(pool));
        plain = patterns.full("-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,20})?", false);
        integers = patterns.full("-?(0|[1-9][0-9]{0,19})(\\.0{1,20})?", false);
        integerTexts = patterns.full("0|-?[1-9][0-9]{0,19}", false);
        Regex scientific =
                patterns.full("-?(0|[1-9][0-9]{0,19})(\\.[0-9]{1,20})?[eE][-+]?([01]?[0-9]{1,2}|2[0-7][0-9])", false);
        all = new Numbers(plain, pool.or(plain, scientific));
    }

    Numbers all() {
        return all;
    }

    Numbers none() {
        return new Numbers(pool.nothing(), pool.nothing());
    }

    Numbers integers() {
        return new Numbers(integers, integerTexts);
    }

    Numbers and(Numbers a, Numbers b) {
        if (a.equals(all)) {
            return b;
        }
        return b.equals(all) ? a : of(pool.and(a.values(), b.values()), pool.and(a.texts(), b.texts()));
    }

    Numbers or(Numbers a, Numbers b) {
        return new Numbers(pool.or(a.values(), b.values()), pool.or(a.texts(), b.texts()));
    }

    Numbers not(Numbers a) {
        if (a.values().isNothing()) {
            return all;
        }
        Regex rest = pool.minus(plain, a.values());
        return a.values() == plain ? none() : of(rest, rest);
    }

    private Numbers of(Regex values, Regex texts) {
        return pool.isEmpty(values) ? none() : new Numbers(values, texts);
    }

    /// Returns the numbers on one side of a bound.
    ///
    /// @param above whether the numbers above it, not those below it
    /// @param inclusive whether the bound itself too
    Numbers range(BigDecimal bound, boolean above, boolean inclusive) {
        Regex values = pool.and(plain, pool.automaton(new DecimalRange(bound, above, inclusive)));
        return of(values, values);
    }

    /// Returns the multiples of a positive number.
    Numbers multiples(BigDecimal divisor) {
        Regex values = pool.and(plain, pool.automaton(DecimalMultiple.of(divisor)));
        return of(values, values);
    }

    /// Returns a single number.
    Numbers constant(BigDecimal number) {
        String text = plainText(number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros());
        Regex zeros = pool.repeat(pool.range('0', '0'), 1, 20);
        Regex tail = text.indexOf('.') < 0
                ? pool.optional(pool.concat(pool.literal("."), zeros))
                : pool.repeat(pool.range('0', '0'), 0, 20);
        Regex sign = number.signum() == 0 ? pool.optional(pool.literal("-")) : pool.epsilon();
        Regex values = pool.concat(sign, pool.concat(pool.literal(text), tail));
        return new Numbers(values, pool.or(pool.literal(text), pool.literal(plainText(number))));
    }

    private static String plainText(BigDecimal number) {
        if (number.precision() + Math.abs((long) number.scale()) > Keywords.MAX_DIGITS) {
            throw new GrammarException(
                    Reason.UNSUPPORTED, "", "", "has a number of more than " + Keywords.MAX_DIGITS + " digits");
        }
        return number.toPlainString();
    }
}

package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.Facets.Numbers;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

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

    /// Returns some numbers.
    Numbers constants(List<BigDecimal> numbers) {
        List<byte[]> whole = new ArrayList<>();
        List<byte[]> fractions = new ArrayList<>();
        List<byte[]> texts = new ArrayList<>();
        for (BigDecimal number : numbers) {
            boolean isZero = number.signum() == 0;
            String text = plainText(isZero ? BigDecimal.ZERO : number.stripTrailingZeros());
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            (text.indexOf('.') < 0 ? whole : fractions).add(bytes);
            if (isZero) {
                whole.add("-0".getBytes(StandardCharsets.US_ASCII));
            }
            texts.add(bytes);
            texts.add(plainText(number).getBytes(StandardCharsets.US_ASCII));
        }
        Regex zero = pool.range('0', '0');
        Regex point = pool.concat(pool.literal("."), pool.repeat(zero, 1, 20));
        Regex values = pool.or(
                pool.concat(pool.literals(whole), pool.optional(point)),
                pool.concat(pool.literals(fractions), pool.repeat(zero, 0, 20)));
        return new Numbers(values, pool.literals(texts));
    }

    private static String plainText(BigDecimal number) {
        if (number.precision() + Math.abs((long) number.scale()) > Keywords.MAX_DIGITS) {
            throw new GrammarException(
                    Reason.UNSUPPORTED, "", "", "has a number of more than " + Keywords.MAX_DIGITS + " digits");
        }
        return number.toPlainString();
    }
}

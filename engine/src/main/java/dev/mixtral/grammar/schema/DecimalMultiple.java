package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.Dfa;
import java.math.BigDecimal;
import java.math.BigInteger;

/// Reads a plain decimal text and keeps its remainder. Immutable.
///
/// With a divisor of `c · 10^-s`, a number is a multiple if the integer of its whole digits and its first `s`
/// fraction digits is one of `c`, and all further digits are zero. A state is `(fraction digits read,
/// remainder)`, with the place before any digit and the place behind the sign in front.
final class DecimalMultiple implements Dfa {
    private static final int MAX_COEFFICIENT = 10_000;
    private static final int START = 0;
    private static final int SIGNED = 1;
    private static final int FIRST = 2;

    private final int coefficient;
    private final int scale;

    private DecimalMultiple(int coefficient, int scale) {
        this.coefficient = coefficient;
        this.scale = scale;
    }

    /// @throws GrammarException if the divisor has too many digits
    static DecimalMultiple of(BigDecimal divisor) {
        BigDecimal stripped = divisor.stripTrailingZeros();
        int scale = Math.max(stripped.scale(), 0);
        if (scale > 20 || stripped.precision() - stripped.scale() > 6) {
            throw tooLarge(divisor);
        }
        BigInteger coefficient = stripped.movePointRight(scale).toBigIntegerExact();
        if (coefficient.compareTo(BigInteger.valueOf(MAX_COEFFICIENT)) > 0) {
            throw tooLarge(divisor);
        }
        return new DecimalMultiple(coefficient.intValueExact(), scale);
    }

    private static GrammarException tooLarge(BigDecimal divisor) {
        return new GrammarException(
                Reason.UNSUPPORTED,
                "",
                "",
                "is " + divisor + "; up to 20 fraction digits and, without the point, up to " + MAX_COEFFICIENT
                        + " can be enforced");
    }

    /// @param part 0 in the whole part, 1 + fraction digits read behind the point
    private int state(int part, int remainder) {
        return FIRST + part * coefficient + remainder;
    }

    @Override
    public int start() {
        return START;
    }

    @Override
    public int next(int state, int value) {
        if (value == '-') {
            return state == START ? SIGNED : DEAD;
        }
        int part = state < FIRST ? 0 : (state - FIRST) / coefficient;
        int remainder = state < FIRST ? 0 : (state - FIRST) % coefficient;
        if (value == '.') {
            return state >= FIRST && part == 0 ? state(1, remainder) : DEAD;
        }
        if (value < '0' || value > '9') {
            return DEAD;
        }
        int digit = value - '0';
        if (part == 0) {
            return state(0, append(remainder, digit));
        }
        if (part <= scale) {
            return state(part + 1, append(remainder, digit));
        }
        return digit == 0 ? state : DEAD;
    }

    private int append(int remainder, int digit) {
        return (int) ((remainder * 10L + digit) % coefficient);
    }

    @Override
    public boolean accepts(int state) {
        if (state < FIRST) {
            return false;
        }
        int part = (state - FIRST) / coefficient;
        int remainder = (state - FIRST) % coefficient;
        for (int digits = Math.max(part - 1, 0); digits < scale; digits++) {
            remainder = append(remainder, 0);
        }
        return remainder == 0;
    }

    @Override
    public int[] byteKeys() {
        int[] keys = new int[256];
        keys['-'] = 1;
        keys['.'] = 2;
        for (int digit = 0; digit < 10; digit++) {
            keys['0' + digit] = 3 + digit;
        }
        return keys;
    }
}

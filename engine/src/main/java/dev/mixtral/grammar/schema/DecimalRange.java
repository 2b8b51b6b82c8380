package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Dfa;
import java.math.BigDecimal;

/// Reads a plain decimal text and compares its value with a bound, digit by digit. Immutable.
///
/// The size of the number is compared with the size of the bound; the sign decides what that means. A state is
/// `(sign, part, place, order)`: which digit comes next, and how the digits so far compare.
final class DecimalRange implements Dfa {
    private static final int LESS = 0;
    private static final int EQUAL = 1;
    private static final int GREATER = 2;

    private final String whole;
    private final String fraction;
    private final int boundSign;
    private final boolean above;
    private final boolean inclusive;
    /// Places of the whole part: digits read, one more than the bound has standing for all longer numbers.
    private final int wholePlaces;
    private final int places;

    DecimalRange(BigDecimal bound, boolean above, boolean inclusive) {
        BigDecimal size = bound.signum() == 0 ? BigDecimal.ZERO : bound.abs().stripTrailingZeros();
        String text = size.toPlainString();
        int point = text.indexOf('.');
        this.whole = point < 0 ? text : text.substring(0, point);
        this.fraction = point < 0 ? "" : text.substring(point + 1);
        this.boundSign = bound.signum();
        this.above = above;
        this.inclusive = inclusive;
        this.wholePlaces = whole.length() + 2;
        this.places = wholePlaces + fraction.length() + 1;
    }

    private int state(boolean negative, int place, int order) {
        return ((negative ? 1 : 0) * places + place) * 3 + order;
    }

    @Override
    public int start() {
        return state(false, 0, EQUAL);
    }

    @Override
    public int next(int state, int value) {
        int order = state % 3;
        int place = state / 3 % places;
        boolean negative = state / 3 / places > 0;
        if (value == '-') {
            return state == start() ? state(true, 0, EQUAL) : DEAD;
        }
        if (value == '.') {
            return place > 0 && place < wholePlaces ? state(negative, wholePlaces, wholeOrder(place, order)) : DEAD;
        }
        if (value < '0' || value > '9') {
            return DEAD;
        }
        if (place < wholePlaces) {
            int digit = place < whole.length() ? compare(value, whole.charAt(place)) : EQUAL;
            return state(negative, Math.min(place + 1, wholePlaces - 1), order == EQUAL ? digit : order);
        }
        int index = place - wholePlaces;
        int digit = compare(value, index < fraction.length() ? fraction.charAt(index) : '0');
        return state(negative, Math.min(place + 1, places - 1), order == EQUAL ? digit : order);
    }

    private static int compare(int digit, int other) {
        return Integer.signum(digit - other) + 1;
    }

    /// Compares whole parts: the one with more digits is greater, as none begins with zero.
    private int wholeOrder(int numDigits, int order) {
        if (numDigits == whole.length()) {
            return order;
        }
        return numDigits < whole.length() ? LESS : GREATER;
    }

    @Override
    public boolean accepts(int state) {
        int place = state / 3 % places;
        if (place == 0) {
            return false;
        }
        boolean negative = state / 3 / places > 0;
        int order = place < wholePlaces ? wholeOrder(place, state % 3) : state % 3;
        int index = place < wholePlaces ? 0 : place - wholePlaces;
        if (order == EQUAL && index < fraction.length()) {
            order = LESS; // what is left of the bound's fraction ends with a digit above zero
        }
        int comparison = compareWithSign(negative, order);
        return comparison == 0 ? inclusive : comparison > 0 == above;
    }

    /// Returns the sign of the number minus the bound.
    private int compareWithSign(boolean negative, int order) {
        if (boundSign == 0) {
            order = order == EQUAL ? EQUAL : GREATER;
        } else if (negative != boundSign < 0) {
            // Minus zero lies on the same side of a positive bound as zero.
            return negative ? -1 : 1;
        }
        return negative ? EQUAL - order : order - EQUAL;
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

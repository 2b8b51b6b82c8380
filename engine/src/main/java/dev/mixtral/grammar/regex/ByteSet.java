package dev.mixtral.grammar.regex;

/// A set of byte values. Immutable.
///
/// @param w0 values 0 to 63, bit by bit
/// @param w1 values 64 to 127
/// @param w2 values 128 to 191
/// @param w3 values 192 to 255
record ByteSet(long w0, long w1, long w2, long w3) {
    static final ByteSet NONE = new ByteSet(0, 0, 0, 0);
    static final ByteSet ALL = new ByteSet(-1, -1, -1, -1);

    /// Returns the values `from` to `to`, both included.
    static ByteSet range(int from, int to) {
        long[] words = new long[4];
        for (int value = from; value <= to; value++) {
            words[value >>> 6] |= 1L << value;
        }
        return new ByteSet(words[0], words[1], words[2], words[3]);
    }

    boolean contains(int value) {
        long word = switch (value >>> 6) {
            case 0 -> w0;
            case 1 -> w1;
            case 2 -> w2;
            default -> w3;
        };
        return (word & 1L << value) != 0;
    }

    boolean isEmpty() {
        return (w0 | w1 | w2 | w3) == 0;
    }

    ByteSet or(ByteSet other) {
        return new ByteSet(w0 | other.w0, w1 | other.w1, w2 | other.w2, w3 | other.w3);
    }

    ByteSet and(ByteSet other) {
        return new ByteSet(w0 & other.w0, w1 & other.w1, w2 & other.w2, w3 & other.w3);
    }
}

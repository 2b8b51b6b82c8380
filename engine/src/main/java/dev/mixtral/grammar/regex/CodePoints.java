package dev.mixtral.grammar.regex;

import java.util.Arrays;

/// A set of Unicode scalar values: code points without the surrogates, which no UTF-8 text has. Immutable.
public final class CodePoints {
    static final int MAX = Character.MAX_CODE_POINT;

    /// All scalar values.
    public static final CodePoints ALL = of(0, 0xd7ff).or(of(0xe000, MAX));

    /// No value.
    public static final CodePoints NONE = new CodePoints(new int[0]);

    /// Pairs of first and last value, rising, with gaps between them.
    private final int[] ranges;

    private CodePoints(int[] ranges) {
        this.ranges = ranges;
    }

    /// Returns the values `from` to `to`, both included; surrogates among them are kept until [#and(CodePoints)]
    /// with [#ALL].
    public static CodePoints of(int from, int to) {
        return new CodePoints(new int[] {from, to});
    }

    /// Returns the characters of a text.
    public static CodePoints of(String characters) {
        CodePoints set = NONE;
        for (int c : characters.codePoints().toArray()) {
            set = set.or(of(c, c));
        }
        return set;
    }

    /// Returns the union.
    public CodePoints or(CodePoints other) {
        int n = ranges.length / 2;
        int m = other.ranges.length / 2;
        long[] sorted = new long[n + m];
        for (int i = 0; i < n; i++) {
            sorted[i] = (long) ranges[2 * i] << 32 | ranges[2 * i + 1];
        }
        for (int i = 0; i < m; i++) {
            sorted[n + i] = (long) other.ranges[2 * i] << 32 | other.ranges[2 * i + 1];
        }
        Arrays.sort(sorted);
        int[] merged = new int[2 * sorted.length];
        int size = 0;
        for (long range : sorted) {
            int from = (int) (range >>> 32);
            int to = (int) range;
            if (size > 0 && from <= merged[size - 1] + 1) {
                merged[size - 1] = Math.max(merged[size - 1], to);
            } else {
                merged[size++] = from;
                merged[size++] = to;
            }
        }
        return new CodePoints(Arrays.copyOf(merged, size));
    }

    /// Returns all scalar values that are not in the set.
    public CodePoints not() {
        int[] gaps = new int[ranges.length + 2];
        int size = 0;
        int next = 0;
        for (int i = 0; i < ranges.length; i += 2) {
            if (ranges[i] > next) {
                gaps[size++] = next;
                gaps[size++] = ranges[i] - 1;
            }
            next = ranges[i + 1] + 1;
        }
        if (next <= MAX) {
            gaps[size++] = next;
            gaps[size++] = MAX;
        }
        return new CodePoints(Arrays.copyOf(gaps, size)).withoutSurrogates();
    }

    /// Returns the intersection.
    public CodePoints and(CodePoints other) {
        int[] common = new int[ranges.length + other.ranges.length];
        int size = 0;
        int i = 0;
        int j = 0;
        while (i < ranges.length && j < other.ranges.length) {
            int from = Math.max(ranges[i], other.ranges[j]);
            int to = Math.min(ranges[i + 1], other.ranges[j + 1]);
            if (from <= to) {
                common[size++] = from;
                common[size++] = to;
            }
            if (ranges[i + 1] < other.ranges[j + 1]) {
                i += 2;
            } else {
                j += 2;
            }
        }
        return new CodePoints(Arrays.copyOf(common, size));
    }

    private CodePoints withoutSurrogates() {
        return and(ALL);
    }

    /// Returns whether the set has no value.
    public boolean isEmpty() {
        return ranges.length == 0;
    }

    /// Returns the number of ranges.
    int numRanges() {
        return ranges.length / 2;
    }

    int from(int range) {
        return ranges[2 * range];
    }

    int to(int range) {
        return ranges[2 * range + 1];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CodePoints set && Arrays.equals(ranges, set.ranges);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ranges);
    }

    /// Collects a set range by range. Confined to one thread.
    static final class Builder {
        private int[] ranges = new int[64];
        private int size;

        /// Adds the values `from` to `to`, which lie behind all that were added before.
        void add(int from, int to) {
            if (size > 0 && ranges[size - 1] == from - 1) {
                ranges[size - 1] = to;
                return;
            }
            if (size == ranges.length) {
                ranges = Arrays.copyOf(ranges, 2 * size);
            }
            ranges[size++] = from;
            ranges[size++] = to;
        }

        CodePoints build() {
            return new CodePoints(Arrays.copyOf(ranges, size));
        }
    }
}

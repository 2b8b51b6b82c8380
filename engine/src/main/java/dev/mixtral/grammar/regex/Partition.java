package dev.mixtral.grammar.regex;

import java.util.Arrays;

/// Splits the 256 byte values into classes that an expression cannot tell apart. Immutable.
///
/// Classes are numbered in the order of their first member, so equal partitions are equal arrays.
public final class Partition {
    /// One class of all values.
    public static final Partition ONE = new Partition(new byte[256], 1);

    /// A class for each value.
    public static final Partition EACH =
            of(java.util.stream.IntStream.range(0, 256).toArray());

    private final byte[] classes;
    private final int size;
    private final int hash;

    private Partition(byte[] classes, int size) {
        this.classes = classes;
        this.size = size;
        this.hash = Arrays.hashCode(classes);
    }

    static Partition of(ByteSet set) {
        int[] keys = new int[256];
        for (int value = 0; value < 256; value++) {
            keys[value] = set.contains(value) ? 1 : 0;
        }
        return of(keys);
    }

    /// Puts values with equal keys into one class.
    ///
    /// @param keys `[256]`
    static Partition of(int[] keys) {
        byte[] classes = new byte[256];
        int[] seen = new int[256];
        int size = 0;
        for (int value = 0; value < 256; value++) {
            int c = 0;
            // A run of equal keys is the common case; few classes make the scan short.
            if (value > 0 && keys[value] == keys[value - 1]) {
                classes[value] = classes[value - 1];
                continue;
            }
            while (c < size && seen[c] != keys[value]) {
                c++;
            }
            if (c == size) {
                seen[size++] = keys[value];
            }
            classes[value] = (byte) c;
        }
        return new Partition(classes, size);
    }

    /// Returns the coarsest partition that is finer than both.
    public Partition meet(Partition other) {
        if (size == 1 || equals(other)) {
            return other;
        }
        if (other.size == 1) {
            return this;
        }
        int[] keys = new int[256];
        for (int value = 0; value < 256; value++) {
            keys[value] = ((classes[value] & 0xff) << 8) | (other.classes[value] & 0xff);
        }
        return of(keys);
    }

    /// Returns the number of classes.
    public int size() {
        return size;
    }

    /// Returns the class of a value.
    public int classOf(int value) {
        return classes[value] & 0xff;
    }

    /// Returns the smallest value of each class.
    public int[] representatives() {
        int[] first = new int[size];
        for (int value = 255; value >= 0; value--) {
            first[classes[value] & 0xff] = value;
        }
        return first;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Partition p && hash == p.hash && Arrays.equals(classes, p.classes);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}

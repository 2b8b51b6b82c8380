package dev.mixtral.tokenizer;

import java.util.Arrays;

/// A binary min-heap of longs without boxing. Confined to one thread.
final class LongHeap {
    private long[] keys;
    private int size;

    LongHeap(int capacity) {
        keys = new long[Math.max(capacity, 8)];
    }

    boolean isEmpty() {
        return size == 0;
    }

    void add(long key) {
        if (size == keys.length) {
            keys = Arrays.copyOf(keys, size + (size >> 1));
        }
        int i = size++;
        while (i > 0 && key < keys[(i - 1) >> 1]) {
            keys[i] = keys[(i - 1) >> 1];
            i = (i - 1) >> 1;
        }
        keys[i] = key;
    }

    /// Removes and returns the smallest key; the heap must not be empty.
    long remove() {
        long smallest = keys[0];
        long last = keys[--size];
        int i = 0;
        for (int child = 1; child < size; child = 2 * i + 1) {
            if (child + 1 < size && keys[child + 1] < keys[child]) {
                child++;
            }
            if (last <= keys[child]) {
                break;
            }
            keys[i] = keys[child];
            i = child;
        }
        keys[i] = last;
        return smallest;
    }
}

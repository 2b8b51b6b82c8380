package dev.mixtral.train.corpus;

import java.util.ArrayList;
import java.util.List;

/// A small random generator of its own (SplitMix64), so that a seed means the same corpus on every JDK.
///
/// Confined to one thread. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
final class Rng {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    Rng(long seed) {
        state = seed;
    }

    long nextLong() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /// Returns a well-mixed function of `z`.
    static long mix(long z) {
        long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
        return b ^ (b >>> 31);
    }

    /// Returns a number in `[0, bound)`.
    int below(int bound) {
        return (int) (((nextLong() >>> 32) * bound) >>> 32);
    }

    /// Returns a number in `[low, high]`.
    int between(int low, int high) {
        return low + below(high - low + 1);
    }

    /// Returns true in `percent` of 100 cases.
    boolean chance(int percent) {
        return below(100) < percent;
    }

    <T> T pick(List<T> list) {
        return list.get(below(list.size()));
    }

    /// Returns one of the given texts.
    String of(String... texts) {
        return texts[below(texts.length)];
    }

    /// Returns `count` different elements, in random order; `list` must hold that many.
    <T> List<T> sample(List<T> list, int count) {
        var taken = new ArrayList<T>(count);
        while (taken.size() < count) {
            T picked = pick(list);
            if (!taken.contains(picked)) {
                taken.add(picked);
            }
        }
        return taken;
    }

    /// Returns an element other than `other`.
    <T> T pickOther(List<T> list, T other) {
        T picked = pick(list);
        while (picked.equals(other)) {
            picked = pick(list);
        }
        return picked;
    }
}

package dev.mixtral.sampling;

import java.util.Arrays;

/// Tokens that may still be drawn, most probable first, and their probabilities. Confined to one thread.
///
/// Equal logits are ordered by id, so that every cut is defined. Cuts only shorten the list; probabilities always
/// sum to 1 over what is left.
final class Candidates {
    private final int[] ids;
    private final double[] probabilities;
    private int size;

    /// Takes all ids whose logit is above minus infinity.
    ///
    /// @param logits `[vocabSize]`
    /// @param temperature greater than 0
    Candidates(float[] logits, double temperature) {
        long[] keys = new long[logits.length];
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] > Float.NEGATIVE_INFINITY) {
                keys[size++] = sortKey(logits[id], id);
            }
        }
        Arrays.sort(keys, 0, size);
        ids = new int[size];
        probabilities = new double[size];
        for (int i = 0; i < size; i++) {
            ids[i] = (int) keys[i];
            probabilities[i] = Math.exp((logits[ids[i]] - (double) logits[ids[0]]) / temperature);
        }
        normalize();
    }

    /// Orders by falling logit, then by rising id.
    private static long sortKey(float logit, int id) {
        int bits = Float.floatToIntBits(logit + 0f); // -0 becomes 0
        int ascending = bits >= 0 ? bits : bits ^ 0x7fffffff;
        return ((long) ~ascending << 32) | id;
    }

    void keepTop(int k) {
        size = Math.min(size, k);
        normalize();
    }

    /// Keeps the smallest prefix whose probability is at least `mass`; at least one token.
    void keepMass(double mass) {
        size = prefixWithMass(probabilities, mass);
        normalize();
    }

    /// Keeps tokens at least `share` as probable as the first.
    void keepShareOfBest(double share) {
        int n = 1;
        while (n < size && probabilities[n] >= share * probabilities[0]) {
            n++;
        }
        size = n;
        normalize();
    }

    /// Keeps the tokens whose information is closest to the entropy, up to probability `mass`.
    void keepTypical(double mass) {
        double entropy = 0;
        for (int i = 0; i < size; i++) {
            entropy -= probabilities[i] > 0 ? probabilities[i] * Math.log(probabilities[i]) : 0;
        }
        double expected = entropy;
        Integer[] order = new Integer[size];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Double.compare(surprise(a, expected), surprise(b, expected)));
        double[] ordered = new double[size];
        Arrays.setAll(ordered, i -> probabilities[order[i]]);
        int[] kept = Arrays.stream(order, 0, prefixWithMass(ordered, mass))
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
        for (int i = 0; i < kept.length; i++) {
            ids[i] = ids[kept[i]];
            probabilities[i] = probabilities[kept[i]];
        }
        size = kept.length;
        normalize();
    }

    private double surprise(int i, double entropy) {
        return Math.abs(-Math.log(probabilities[i]) - entropy);
    }

    private int prefixWithMass(double[] ordered, double mass) {
        double sum = 0;
        int n = 0;
        while (n < size && (n == 0 || sum < mass)) {
            sum += ordered[n++];
        }
        return n;
    }

    private void normalize() {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += probabilities[i];
        }
        for (int i = 0; i < size; i++) {
            probabilities[i] /= sum;
        }
    }

    /// Returns the token at `uniform` of the cumulative distribution.
    ///
    /// @param uniform in `[0, 1)`
    int draw(double uniform) {
        double sum = 0;
        for (int i = 0; i < size - 1; i++) {
            sum += probabilities[i];
            if (uniform < sum) {
                return ids[i];
            }
        }
        return ids[size - 1];
    }

    int size() {
        return size;
    }

    int id(int i) {
        return ids[i];
    }
}

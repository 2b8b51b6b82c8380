package dev.mixtral.quantize;

import java.util.Arrays;

/// Searches for the scale (and minimum) with which a small group of numbers is best expressed by small integers.
///
/// Ties go to the even integer and all sums run in `float` and in order, as in ggml, so that blocks come out bit for
/// bit alike. Source: `make_qx_quants`, `make_q3_quants`, `make_qkx2_quants` and `make_qp_quants` of
/// `ggml-quants.c`. Confined to one thread.
final class ScaleSearch {
    /// Groups whose largest element is below this count as zero.
    static final float NOTHING = 1e-15f;

    private static final int MAX_GROUP = 32;
    private static final float FLAT = 1e-10f;
    private static final float NO_SCALE = 1e-16f;
    private static final int SWEEPS = 5;

    private final int[] tried = new int[MAX_GROUP];
    private float scale;
    private float low;
    private float fittedScale;
    private float fittedLow;
    private float sumW;
    private float sumX;
    private float sumLx;
    private float sumL2;

    /// How far and how finely to look around the plain scale.
    ///
    /// @param first offset of the first try, in levels
    /// @param step distance between tries, in levels
    /// @param last number of the last try
    /// @param absolute whether errors count by their size rather than by their square
    record Tries(float first, float step, int last, boolean absolute) {}

    /// Returns the nearest integer, a tie going to the even one.
    static int nearest(float value) {
        return (int) Math.rint(value);
    }

    static int clamp(int value, int low, int high) {
        return Math.max(low, Math.min(high, value));
    }

    /// Returns the element that is largest in size, with its sign.
    static float extreme(float[] x, int from, int n) {
        float extreme = 0;
        for (int i = from; i < from + n; i++) {
            if (Math.abs(x[i]) > Math.abs(extreme)) {
                extreme = x[i];
            }
        }
        return extreme;
    }

    /// Finds `scale` and levels `-bound .. bound - 1` such that `scale * level` is near `x`, and stores the levels
    /// plus `bound`.
    ///
    /// @param weights what the error of each element counts
    /// @param levels `[to, to + n)` is overwritten
    /// @return the scale, which has the sign that gives the largest element the level `-bound`
    float symmetric(float[] x, int from, int n, int bound, float[] weights, int[] levels, int to) {
        float extreme = extreme(x, from, n);
        if (Math.abs(extreme) < NOTHING) {
            Arrays.fill(levels, to, to + n, 0);
            return 0;
        }
        float inverse = -bound / extreme;
        project(x, from, n, bound, weights, inverse);
        store(x, from, n, bound, inverse, levels, to);
        float scale = sumL2 != 0 ? sumLx / sumL2 : 0;
        float best = scale * sumLx;
        for (int i = -9; i <= 9; i++) {
            inverse = -(bound + 0.1f * i) / extreme;
            project(x, from, n, bound, weights, inverse);
            if (i != 0 && sumL2 > 0 && sumLx * sumLx > best * sumL2) {
                store(x, from, n, bound, inverse, levels, to);
                scale = sumLx / sumL2;
                best = scale * sumLx;
            }
        }
        return scale;
    }

    private void project(float[] x, int from, int n, int bound, float[] weights, float inverse) {
        sumLx = 0;
        sumL2 = 0;
        for (int i = 0; i < n; i++) {
            int level = clamp(nearest(inverse * x[from + i]), -bound, bound - 1);
            sumLx += weights[i] * x[from + i] * level;
            sumL2 += weights[i] * level * level;
        }
    }

    private static void store(float[] x, int from, int n, int bound, float inverse, int[] levels, int to) {
        for (int i = 0; i < n; i++) {
            levels[to + i] = bound + clamp(nearest(inverse * x[from + i]), -bound, bound - 1);
        }
    }

    /// As [#symmetric], for few levels: starts from the plain scale and moves single elements while that helps. Each
    /// error counts by the square of its element.
    float symmetricByMoves(float[] x, int from, int n, int bound, int[] levels, int to) {
        float extreme = extreme(x, from, n);
        if (Math.abs(extreme) < NOTHING) {
            Arrays.fill(levels, to, to + n, 0);
            return 0;
        }
        float inverse = -bound / extreme;
        sumLx = 0;
        sumL2 = 0;
        for (int i = 0; i < n; i++) {
            float value = x[from + i];
            tried[i] = clamp(nearest(inverse * value), -bound, bound - 1);
            float weight = value * value;
            sumLx += weight * value * tried[i];
            sumL2 += weight * tried[i] * tried[i];
        }
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            if (!moveSigned(x, from, n, bound)) {
                break;
            }
        }
        for (int i = 0; i < n; i++) {
            levels[to + i] = tried[i] + bound;
        }
        return sumL2 > 0 ? sumLx / sumL2 : 0;
    }

    private boolean moveSigned(float[] x, int from, int n, int bound) {
        boolean moved = false;
        for (int i = 0; i < n; i++) {
            float value = x[from + i];
            float weight = value * value;
            float lx = sumLx - weight * value * tried[i];
            if (lx > 0) {
                float l2 = sumL2 - weight * tried[i] * tried[i];
                int level = clamp(nearest(value * l2 / lx), -bound, bound - 1);
                moved |= move(i, level, lx + weight * value * level, l2 + weight * level * level);
            }
        }
        return moved;
    }

    private boolean move(int i, int level, float lx, float l2) {
        boolean better = level != tried[i] && l2 > 0 && lx * lx * sumL2 > sumLx * sumLx * l2;
        if (better) {
            tried[i] = level;
            sumLx = lx;
            sumL2 = l2;
        }
        return better;
    }

    /// Finds `scale >= 0` and a minimum such that `scale * level - min` with levels `0 .. max` is near `x`; [#min]
    /// holds the minimum, which is 0 or more, afterwards.
    ///
    /// @param weights what the error of each element counts
    /// @param levels `[to, to + n)` is overwritten
    float affine(float[] x, int from, int n, int max, float[] weights, int[] levels, int to, Tries tries) {
        float high = sumUp(x, from, n, weights);
        if (high - low < FLAT) {
            Arrays.fill(levels, to, to + n, 0);
            return 0;
        }
        float inverse = max / (high - low);
        scale = 1 / inverse;
        tryLevels(x, from, n, max, inverse, low);
        System.arraycopy(tried, 0, levels, to, n);
        float best = error(x, from, n, weights, scale, low, tries.absolute);
        for (int t = 0; t <= tries.last; t++) {
            // Later tries start from the best minimum so far.
            tryLevels(x, from, n, max, (tries.first + tries.step * t + max) / (high - low), low);
            if (fit(x, from, n, weights)) {
                float error = error(x, from, n, weights, fittedScale, fittedLow, tries.absolute);
                if (error < best) {
                    System.arraycopy(tried, 0, levels, to, n);
                    best = error;
                    scale = fittedScale;
                    low = fittedLow;
                }
            }
        }
        return scale;
    }

    /// Leaves weighted sums and the smaller of 0 and the least element, and returns the greatest.
    private float sumUp(float[] x, int from, int n, float[] weights) {
        float high = x[from];
        low = x[from];
        sumW = 0;
        sumX = 0;
        for (int i = 0; i < n; i++) {
            low = Math.min(low, x[from + i]);
            high = Math.max(high, x[from + i]);
            sumW += weights[i];
            sumX += weights[i] * x[from + i];
        }
        low = Math.min(low, 0);
        return high;
    }

    /// Finds the line through the tried levels with the least weighted squared error, if they differ at all.
    private boolean fit(float[] x, int from, int n, float[] weights) {
        float l = 0;
        float l2 = 0;
        float lx = 0;
        for (int i = 0; i < n; i++) {
            l += weights[i] * tried[i];
            l2 += weights[i] * tried[i] * tried[i];
            lx += weights[i] * tried[i] * x[from + i];
        }
        float determinant = sumW * l2 - l * l;
        fittedScale = (sumW * lx - sumX * l) / determinant;
        fittedLow = (l2 * sumX - l * lx) / determinant;
        if (fittedLow > 0) {
            fittedLow = 0;
            fittedScale = lx / l2;
        }
        return determinant > 0;
    }

    private void tryLevels(float[] x, int from, int n, int max, float inverse, float low) {
        for (int i = 0; i < n; i++) {
            tried[i] = clamp(nearest(inverse * (x[from + i] - low)), 0, max);
        }
    }

    private float error(float[] x, int from, int n, float[] weights, float scale, float low, boolean absolute) {
        float sum = 0;
        for (int i = 0; i < n; i++) {
            float difference = scale * tried[i] + low - x[from + i];
            sum += weights[i] * (absolute ? Math.abs(difference) : difference * difference);
        }
        return sum;
    }

    /// Returns the minimum that the last [#affine] found.
    float min() {
        return -low;
    }

    /// Finds `scale` and levels `0 .. max` such that `scale * level` is near `x`, none of which is negative.
    ///
    /// @param levels `[0, n)` is overwritten
    float positive(float[] x, int n, int max, float[] weights, int[] levels) {
        float high = 0;
        for (int i = 0; i < n; i++) {
            high = Math.max(high, x[i]);
        }
        if (high < NO_SCALE) {
            Arrays.fill(levels, 0, n, 0);
            return 0;
        }
        float inverse = bestInverse(x, n, max, weights, high);
        sumLx = 0;
        sumL2 = 0;
        for (int i = 0; i < n; i++) {
            tried[i] = Math.min(max, nearest(inverse * x[i]));
            sumLx += weights[i] * x[i] * tried[i];
            sumL2 += weights[i] * tried[i] * tried[i];
        }
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            if (!movePositive(x, n, max, weights)) {
                break;
            }
        }
        System.arraycopy(tried, 0, levels, 0, n);
        return sumL2 > 0 ? sumLx / sumL2 : 0;
    }

    private static float bestInverse(float[] x, int n, int max, float[] weights, float high) {
        float inverse = max / high;
        float best = squaredError(x, n, max, weights, inverse);
        for (int i = -4; i <= 4; i++) {
            float candidate = (0.1f * i + max) / high;
            float error = squaredError(x, n, max, weights, candidate);
            if (i != 0 && error < best) {
                best = error;
                inverse = candidate;
            }
        }
        return inverse;
    }

    private static float squaredError(float[] x, int n, int max, float[] weights, float inverse) {
        float scale = 1 / inverse;
        float sum = 0;
        for (int i = 0; i < n; i++) {
            float difference = x[i] - scale * Math.min(max, nearest(inverse * x[i]));
            sum += weights[i] * difference * difference;
        }
        return sum;
    }

    private boolean movePositive(float[] x, int n, int max, float[] weights) {
        boolean moved = false;
        for (int i = 0; i < n; i++) {
            float lx = sumLx - weights[i] * x[i] * tried[i];
            float l2 = sumL2 - weights[i] * tried[i] * tried[i];
            if (lx > 0 && l2 > 0) {
                int level = Math.min(max, nearest(x[i] * l2 / lx));
                moved |= move(i, level, lx + weights[i] * x[i] * level, l2 + weights[i] * level * level);
            }
        }
        return moved;
    }
}

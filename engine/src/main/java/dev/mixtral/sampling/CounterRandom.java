package dev.mixtral.sampling;

/// A counter-based random generator: the n-th number of a seed is a function of both and nothing else.
///
/// So a token's draw does not depend on what else was drawn, on batches, or on how often a generation was
/// interrupted.
/// Two rounds of the SplitMix64 finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA
/// 2014) over seed and counter.
public final class CounterRandom {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    private CounterRandom() {}

    /// Returns a number in `[0, 1)` with 53 random bits.
    ///
    /// @param seed the request's seed
    /// @param counter the position of the draw
    public static double uniform(long seed, long counter) {
        long bits = mix(mix(seed + GOLDEN_GAMMA) ^ mix((counter + 1) * GOLDEN_GAMMA));
        return (bits >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}

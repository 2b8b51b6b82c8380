package dev.mixtral.lora;

import org.jspecify.annotations.Nullable;

/// The adapter of one matrix `W` `[out, in]`: it becomes `W + scaling · B · A`, and with magnitudes each of its rows is
/// brought to its magnitude. Arrays are not copied and must not be modified.
///
/// @param rank rows of `a`, at least 1
/// @param in columns of the matrix
/// @param out rows of the matrix; of queries and keys in the order of Hugging Face's files
/// @param a `[rank, in]`
/// @param b `[out, rank]`
/// @param magnitude `[out]`, with DoRA (arXiv 2402.09353); else `null`
public record LoraWeights(int rank, int in, int out, float[] a, float[] b, float @Nullable [] magnitude) {
    public LoraWeights {
        if (rank < 1 || a.length != Math.multiplyExact(rank, in) || b.length != Math.multiplyExact(out, rank)) {
            throw new IllegalArgumentException("A of [" + rank + ", " + in + "] and B of [" + out + ", " + rank
                    + "] expected, got " + a.length + " and " + b.length + " elements");
        }
        if (magnitude != null && magnitude.length != out) {
            throw new IllegalArgumentException(out + " magnitudes expected, got " + magnitude.length);
        }
    }

    /// An adapter without magnitudes.
    public LoraWeights(int rank, int in, int out, float[] a, float[] b) {
        this(rank, in, out, a, b, null);
    }
}

package dev.mixtral.train;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;

/// Trainable weights as one flat f32 tensor, and their gradients in another.
///
/// One buffer makes the optimiser five tensor operations, the gradient sum of two workers one addition, and a
/// checkpoint three arrays.
public interface FlatParameters {
    /// Returns the flat values `[n]`, those that weight decay applies to first.
    Tensor values();

    /// Returns the flat gradients `[n]`.
    Tensor gradients();

    /// Returns how many of the first values belong to matrices, which weight decay applies to.
    long numMatrixWeights();

    /// Makes a part of the flat values a leaf of the autograd graph, whose gradient is the same part of the flat
    /// gradients. Call it outside of a [org.bytedeco.javacpp.PointerScope]: the leaf lives as long as it is
    /// reachable.
    ///
    /// @param offset where the part begins
    /// @param shape of the leaf
    static Tensor leaf(Tensor values, Tensor gradients, long offset, long... shape) {
        long size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        Tensor value = values.narrow(0, offset, size).reshape(shape).detach();
        value.set_requires_grad(true);
        value.mutable_grad().put(gradients.narrow(0, offset, size).reshape(shape));
        return value;
    }
}

package dev.mixtral.train;

import static org.bytedeco.pytorch.global.torch.zeros;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// AdamW (arXiv 1711.05101) over [FlatParameters], with gradient clipping by global norm.
///
/// Weight decay is decoupled and spares the norms. Not thread-safe.
public final class AdamW {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.95;
    private static final double EPSILON = 1e-8;

    private final FlatParameters parameters;
    private final double weightDecay;
    private final Tensor firstMoment;
    private final Tensor secondMoment;
    private int step;

    /// Starts with moments of zero.
    ///
    /// @param weightDecay of the matrices, per step and unit of the learning rate
    public AdamW(FlatParameters parameters, double weightDecay) {
        this.parameters = parameters;
        this.weightDecay = weightDecay;
        this.firstMoment = zeros(parameters.values().numel());
        this.secondMoment = zeros(parameters.values().numel());
    }

    /// Makes one update from the gradients, and clears them.
    ///
    /// @param learningRate of this step
    /// @param maxNorm gradients with a larger L2 norm are scaled down to it
    /// @return the norm before clipping; if it is not finite, nothing has been updated
    public double step(double learningRate, double maxNorm) {
        try (var _ = new PointerScope()) {
            Tensor gradients = parameters.gradients();
            double norm = gradients.norm().item_double();
            if (!Double.isFinite(norm)) {
                return norm;
            }
            if (norm > maxNorm) {
                gradients.mul_(new Scalar(maxNorm / norm));
            }
            update(gradients, learningRate);
            gradients.zero_();
            return norm;
        }
    }

    private void update(Tensor gradients, double learningRate) {
        step++;
        firstMoment.lerp_(gradients, new Scalar(1 - BETA1));
        secondMoment.mul_(new Scalar(BETA2)).addcmul_(gradients, gradients, new Scalar(1 - BETA2));
        Tensor values = parameters.values();
        values.narrow(0, 0, parameters.numMatrixWeights()).mul_(new Scalar(1 - learningRate * weightDecay));
        double correction1 = 1 - Math.pow(BETA1, step);
        double correction2 = Math.sqrt(1 - Math.pow(BETA2, step));
        Tensor denominator =
                secondMoment.sqrt().mul_(new Scalar(1 / correction2)).add_(new Scalar(EPSILON));
        values.addcdiv_(firstMoment, denominator, new Scalar(-learningRate / correction1));
    }

    /// Returns the running mean of the gradients, flat.
    public Tensor firstMoment() {
        return firstMoment;
    }

    /// Returns the running mean of the squared gradients, flat.
    public Tensor secondMoment() {
        return secondMoment;
    }

    /// Returns how many updates were made.
    public int step() {
        return step;
    }

    /// Continues an earlier run, whose moments the caller has copied into this one's.
    public void resumeAt(int step) {
        this.step = step;
    }
}

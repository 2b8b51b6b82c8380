package dev.mixtral.train.finetune;

import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.zeros;

import dev.mixtral.format.MixtralConfig;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/// Measures matrix products of a model's shapes on this machine.
final class SpeedProbe {
    private static final double SECONDS = 1.0;
    private static final int MAX_ROWS = 4096;

    private SpeedProbe() {}

    /// Returns floating-point operations per second of a product with one expert's matrix, on all threads
    /// of PyTorch.
    ///
    /// @param tokens of a pass, which the experts share
    static double operationsPerSecond(MixtralConfig model, long tokens) {
        long share = tokens * model.numExpertsPerToken() / model.numExperts();
        long rows = Math.clamp(share, 1, MAX_ROWS);
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            Tensor x = zeros(rows, model.dim());
            Tensor w = zeros(model.ffnDim(), model.dim());
            long operations = 0;
            linear(x, w);
            long start = System.nanoTime();
            double seconds = 0;
            while (seconds < SECONDS) {
                try (var _ = new PointerScope()) {
                    linear(x, w);
                }
                operations += 2 * rows * model.dim() * model.ffnDim();
                seconds = (System.nanoTime() - start) / 1e9;
            }
            return operations / seconds;
        }
    }
}

package dev.mixtral.train.report;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is known after one step of a run.
///
/// @param step steps done
/// @param loss of the step, in nats
/// @param evaluation loss on data that are not learned from, if it was measured after this step
/// @param gradientNorm before clipping
/// @param tokensPerSecond of this step
/// @param expertShares for each layer, the share of the choices that each expert got
public record LogEntry(
        int step,
        double loss,
        @Nullable Double evaluation,
        double learningRate,
        double gradientNorm,
        double tokensPerSecond,
        List<List<Double>> expertShares) {
    public LogEntry {
        expertShares = expertShares.stream().map(List::copyOf).toList();
    }

    /// Returns the shares of `[numLayers][numExperts]` counts.
    public static List<List<Double>> shares(long[][] counts) {
        return Arrays.stream(counts)
                .map(layer -> {
                    double total = Arrays.stream(layer).sum();
                    return Arrays.stream(layer)
                            .mapToObj(count -> Math.round(count / total * 1e4) / 1e4)
                            .toList();
                })
                .toList();
    }

    /// Returns the smallest and the largest share of any expert in any layer.
    public double[] shareRange() {
        double min = 1;
        double max = 0;
        for (List<Double> layer : expertShares) {
            for (double share : layer) {
                min = Math.min(min, share);
                max = Math.max(max, share);
            }
        }
        return new double[] {min, max};
    }
}

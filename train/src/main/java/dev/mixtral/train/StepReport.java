package dev.mixtral.train;

/// One step of training, for people and for logs.
///
/// @param step steps done
/// @param steps steps in total
/// @param tokens positions of this step's batches
/// @param loss weighted mean cross-entropy in nats
/// @param smoothedLoss its moving average
/// @param gradientNorm before clipping
/// @param expertCounts tokens per layer and expert
public record StepReport(
        int step,
        int steps,
        int tokens,
        double loss,
        double smoothedLoss,
        double learningRate,
        double gradientNorm,
        long[][] expertCounts) {}

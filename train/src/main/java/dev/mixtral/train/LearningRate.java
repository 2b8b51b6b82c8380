package dev.mixtral.train;

/// The learning rate over a run: a linear warm-up, then half a cosine down to a fraction of the peak.
///
/// @param peak the highest rate
/// @param warmupSteps steps of the rise
/// @param totalSteps steps of the run
/// @param finalShare rate of the last step, as a share of the peak
public record LearningRate(double peak, int warmupSteps, int totalSteps, double finalShare) {
    /// Returns the rate of a step.
    ///
    /// @param step from 0
    public double at(int step) {
        if (step < warmupSteps) {
            return peak * (step + 1) / warmupSteps;
        }
        double progress = Math.min(1.0, (step - warmupSteps) / (double) Math.max(1, totalSteps - 1 - warmupSteps));
        return peak * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
}

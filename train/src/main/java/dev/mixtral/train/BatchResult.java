package dev.mixtral.train;

/// What one batch gave.
///
/// @param loss cross-entropy in nats: a mean or a sum, as the giver says
/// @param expertCounts tokens per layer and expert
public record BatchResult(double loss, long[][] expertCounts) {
    /// Adds up two batches.
    public BatchResult plus(BatchResult other) {
        long[][] counts = new long[expertCounts.length][];
        for (int layer = 0; layer < counts.length; layer++) {
            counts[layer] = expertCounts[layer].clone();
            for (int expert = 0; expert < counts[layer].length; expert++) {
                counts[layer][expert] += other.expertCounts[layer][expert];
            }
        }
        return new BatchResult(loss + other.loss, counts);
    }
}

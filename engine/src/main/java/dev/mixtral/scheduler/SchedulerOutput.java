package dev.mixtral.scheduler;

import java.util.List;

/// What the next forward pass computes. Immutable.
///
/// @param chunks rows of the pass, sequence by sequence
/// @param copies blocks to copy before it
public record SchedulerOutput(List<Chunk> chunks, List<BlockCopy> copies) {
    /// Consecutive tokens of one sequence.
    ///
    /// @param request the sequence
    /// @param firstPosition position of the first token: the number of computed ones
    /// @param numTokens how many
    /// @param hasNewBlocks whether the sequence's blocks are others than in its last chunk, not just more
    public record Chunk(SchedulerRequest request, int firstPosition, int numTokens, boolean hasNewBlocks) {
        /// Returns whether the next token of the sequence follows from this chunk.
        public boolean samples() {
            return firstPosition + numTokens == request.numTokens();
        }
    }

    /// A block whose content another one starts with.
    public record BlockCopy(int from, int to) {}

    /// Returns whether there is nothing to compute.
    public boolean isEmpty() {
        return chunks.isEmpty();
    }

    /// Returns the rows of the pass.
    public int numTokens() {
        int n = 0;
        for (Chunk chunk : chunks) {
            n += chunk.numTokens;
        }
        return n;
    }
}

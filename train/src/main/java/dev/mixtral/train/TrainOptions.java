package dev.mixtral.train;

import dev.mixtral.format.MixtralConfig;
import java.nio.file.Path;

/// What a training run is given.
///
/// @param output folder for the model, the log and the checkpoint; made if absent
/// @param steps updates of the weights; each sees `tokensPerStep` tokens
/// @param seed of the weights and of the corpus
/// @param workers threads that share a batch; a different number rounds differently
/// @param tokensPerStep tokens of a batch
/// @param learningRate peak of the schedule
/// @param dim model width
/// @param ffnDim inner width of an expert
/// @param numLayers transformer blocks
/// @param numHeads query heads of width 32
/// @param numKvHeads key/value heads
/// @param vocabSize pieces of the tokenizer that is trained first
/// @param checkpointMinutes time between checkpoints
/// @param resume whether to continue from the checkpoint in `output`
/// @param examplesPerSkill held-out prompts per skill for the scores
public record TrainOptions(
        Path output,
        int steps,
        long seed,
        int workers,
        int tokensPerStep,
        double learningRate,
        int dim,
        int ffnDim,
        int numLayers,
        int numHeads,
        int numKvHeads,
        int vocabSize,
        double checkpointMinutes,
        boolean resume,
        int examplesPerSkill) {
    private static final int NUM_EXPERTS = 8;
    private static final int CONTEXT_LENGTH = 4096;
    private static final int HEAD_DIM = 32;

    /// Short contexts train faster with a small base: more of the 16 pairs turn within a few hundred positions.
    private static final double ROPE_THETA = 10_000;

    /// Returns the options that made `mixtral-tiny`.
    public static TrainOptions tiny(Path output) {
        return new TrainOptions(output, 6000, 1, 2, 8192, 3e-3, 192, 128, 4, 6, 2, 2048, 4, false, 40);
    }

    /// Returns the same with other values for what is varied most.
    public TrainOptions with(int newSteps, long newSeed, double newLearningRate, boolean newResume) {
        return new TrainOptions(
                output,
                newSteps,
                newSeed,
                workers,
                tokensPerStep,
                newLearningRate,
                dim,
                ffnDim,
                numLayers,
                numHeads,
                numKvHeads,
                vocabSize,
                checkpointMinutes,
                newResume,
                examplesPerSkill);
    }

    /// Returns the architecture for a vocabulary that was learned.
    MixtralConfig config(int learnedVocabSize) {
        return new MixtralConfig(
                dim,
                ffnDim,
                numLayers,
                numHeads,
                numKvHeads,
                HEAD_DIM,
                NUM_EXPERTS,
                2,
                learnedVocabSize,
                1e-5f,
                ROPE_THETA,
                CONTEXT_LENGTH);
    }

    /// Returns everything that the result depends on, for comparing a checkpoint with a run.
    String identity() {
        return "steps %d seed %d workers %d tokens %d lr %s dim %d ffn %d layers %d heads %d/%d vocab %d"
                .formatted(
                        steps,
                        seed,
                        workers,
                        tokensPerStep,
                        learningRate,
                        dim,
                        ffnDim,
                        numLayers,
                        numHeads,
                        numKvHeads,
                        vocabSize);
    }
}

package dev.mixtral.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;

/// The training loop: batch, gradients, update, progress, checkpoint. Confined to one thread, which starts workers.
///
/// Deterministic for a given number of workers: the data of a step depend on the seed and the step's number,
/// gradients are added in a fixed order, and a resumed run gives the same bits as one that never stopped.
final class Trainer implements AutoCloseable {
    private static final double MAX_GRADIENT_NORM = 1.0;
    private static final double SMOOTHING = 0.98;

    private final Settings settings;
    private final TorchMixtral model;
    private final AdamW optimizer;
    private final DataParallel workers;
    private final Path checkpoint;
    private int step;
    private double smoothedLoss;

    /// @param model receives the training
    /// @param checkpoint file to write to
    Trainer(Settings settings, TorchMixtral model, Path checkpoint) {
        this.settings = settings;
        this.model = model;
        this.checkpoint = checkpoint;
        this.optimizer = new AdamW(model.parameters(), settings.weightDecay());
        this.workers = new DataParallel(model, settings.workers(), settings.balanceWeight(), settings.zWeight());
    }

    /// Continues from the checkpoint if there is one.
    ///
    /// @return steps already done
    int resume() {
        if (Files.exists(checkpoint)) {
            TrainingState state = TrainingState.read(checkpoint, settings.identity(), optimizer, model.parameters());
            step = state.step();
            smoothedLoss = state.smoothedLoss();
        }
        return step;
    }

    /// Trains until the last step, or until told to stop; a checkpoint is left in either case.
    ///
    /// @param packers the source of a step's data, by the step's number
    /// @param stop asked before each step
    /// @return whether all steps are done
    boolean run(IntFunction<Packer> packers, ProgressLog log, BooleanSupplier stop) {
        long nextCheckpoint = System.nanoTime() + settings.checkpointNanos();
        while (step < settings.steps() && !stop.getAsBoolean()) {
            log.report(oneStep(packers.apply(step)));
            if (System.nanoTime() >= nextCheckpoint) {
                save();
                nextCheckpoint = System.nanoTime() + settings.checkpointNanos();
            }
        }
        save();
        return step == settings.steps();
    }

    private StepReport oneStep(Packer packer) {
        Curriculum.Phase phase = settings.curriculum().at(step, settings.steps());
        Batch batch = packer.pack(phase.rows(), phase.length());
        double learningRate = settings.learningRate().at(step);
        DataParallel.Result result = workers.accumulate(batch);
        double norm = optimizer.step(learningRate, MAX_GRADIENT_NORM);
        if (!Double.isFinite(result.loss()) || !Double.isFinite(norm)) {
            throw new IllegalStateException(
                    "step %d: loss %s, gradient norm %s: the run has diverged; ".formatted(step, result.loss(), norm)
                            + "start again from the checkpoint with a lower learning rate");
        }
        smoothedLoss = step == 0 ? result.loss() : SMOOTHING * smoothedLoss + (1 - SMOOTHING) * result.loss();
        step++;
        return new StepReport(
                step,
                settings.steps(),
                batch.numTokens(),
                result.loss(),
                smoothedLoss,
                learningRate,
                norm,
                result.expertCounts());
    }

    private void save() {
        new TrainingState(step, smoothedLoss).write(checkpoint, settings.identity(), optimizer, model.parameters());
    }

    @Override
    public void close() {
        workers.close();
    }

    /// What a run is made of.
    ///
    /// @param steps updates in total
    /// @param workers threads; part of what makes the result reproducible
    /// @param learningRate by step
    /// @param curriculum shape of the batches by step
    /// @param weightDecay of the matrices
    /// @param balanceWeight weight of the load-balancing loss
    /// @param zWeight weight of the router z-loss
    /// @param checkpointNanos time between checkpoints
    /// @param identity text that a checkpoint must agree with to be continued
    record Settings(
            int steps,
            int workers,
            LearningRate learningRate,
            Curriculum curriculum,
            double weightDecay,
            double balanceWeight,
            double zWeight,
            long checkpointNanos,
            String identity) {}

    /// One step, for people and for the log.
    ///
    /// @param step steps done
    /// @param steps steps in total
    /// @param tokens of this step's batch
    /// @param loss weighted mean cross-entropy in nats
    /// @param smoothedLoss its moving average
    /// @param gradientNorm before clipping
    /// @param expertCounts tokens per layer and expert
    record StepReport(
            int step,
            int steps,
            int tokens,
            double loss,
            double smoothedLoss,
            double learningRate,
            double gradientNorm,
            long[][] expertCounts) {}
}

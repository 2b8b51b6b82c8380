package dev.mixtral.train;

import dev.mixtral.error.InvalidRequestException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/// The training loop: batches, gradients, update, progress, checkpoint. Confined to one thread, which
/// starts workers.
///
/// Deterministic for a given number of workers: the data and the noise of a step depend on the seed and the step's
/// number, gradients are added in a fixed order, and a resumed run gives the same bits as one that never stopped.
public final class Trainer implements AutoCloseable {
    private static final double SMOOTHING = 0.98;

    private final Settings settings;
    private final FlatParameters parameters;
    private final AdamW optimizer;
    private final DataParallel workers;
    private final Path checkpoint;
    private int step;
    private double smoothedLoss;

    /// @param pass receives the training
    /// @param checkpoint file to write to
    public Trainer(Settings settings, GradientPass pass, Path checkpoint) {
        this.settings = settings;
        this.parameters = pass.parameters();
        this.checkpoint = checkpoint;
        this.optimizer = new AdamW(parameters, settings.weightDecay());
        this.workers = new DataParallel(pass, settings.workers());
    }

    /// Continues from the checkpoint if there is one.
    ///
    /// @return steps already done
    public int resume() {
        if (Files.exists(checkpoint)) {
            TrainingState state = TrainingState.read(checkpoint, settings.identity(), optimizer, parameters);
            step = state.step();
            smoothedLoss = state.smoothedLoss();
        }
        return step;
    }

    /// Trains until the last step, or until told to stop; a checkpoint is left in either case.
    ///
    /// @param data the batches of a step, which is counted from 0
    /// @param listener told of every step
    /// @param stop asked before each step
    /// @return whether all steps are done
    public boolean run(IntFunction<List<Batch>> data, Consumer<StepReport> listener, BooleanSupplier stop) {
        long nextCheckpoint = System.nanoTime() + settings.checkpointNanos();
        int saved = -1;
        while (step < settings.steps() && !stop.getAsBoolean()) {
            listener.accept(oneStep(data.apply(step)));
            boolean isDue = settings.checkpointSteps() > 0 && step % settings.checkpointSteps() == 0;
            if (isDue || System.nanoTime() >= nextCheckpoint) {
                save();
                saved = step;
                nextCheckpoint = System.nanoTime() + settings.checkpointNanos();
            }
        }
        if (saved != step) {
            save();
        }
        return step == settings.steps();
    }

    /// Returns the mean loss over batches that are not trained on, in nats per unit of weight.
    public double evaluate(List<Batch> batches) {
        double sum = 0;
        double weight = 0;
        for (Batch batch : batches) {
            sum += workers.evaluate(batch).loss();
            weight += batch.totalWeight();
        }
        return sum / weight;
    }

    private StepReport oneStep(List<Batch> batches) {
        double learningRate = settings.learningRate().at(step);
        double totalWeight = batches.stream().mapToDouble(Batch::totalWeight).sum();
        BatchResult result = null;
        for (int i = 0; i < batches.size(); i++) {
            var share = new GradientPass.Share(totalWeight, 1.0 / batches.size(), noiseSeed(i));
            BatchResult part = workers.accumulate(batches.get(i), share);
            result = result == null ? part : result.plus(part);
        }
        if (result == null) {
            throw new IllegalArgumentException("step " + (step + 1) + " has no data");
        }
        double norm = optimizer.step(learningRate, settings.maxGradientNorm());
        if (!Double.isFinite(result.loss()) || !Double.isFinite(norm)) {
            throw new InvalidRequestException(
                    "learning-rate",
                    "step %d: loss %s, gradient norm %s: the run has diverged; "
                                    .formatted(step + 1, result.loss(), norm)
                            + "start again from the checkpoint, or anew, with a lower learning rate");
        }
        smoothedLoss = step == 0 ? result.loss() : SMOOTHING * smoothedLoss + (1 - SMOOTHING) * result.loss();
        step++;
        return new StepReport(
                step,
                settings.steps(),
                batches.stream().mapToInt(Batch::numTokens).sum(),
                result.loss(),
                smoothedLoss,
                learningRate,
                norm,
                result.expertCounts());
    }

    /// Steps, batches and workers all get numbers of their own: workers count up from the seed of their batch.
    private long noiseSeed(int batch) {
        return 1 + settings.seed() * 0x9E3779B97F4A7C15L + ((long) step << 24) + ((long) batch << 10);
    }

    private void save() {
        new TrainingState(step, smoothedLoss).write(checkpoint, settings.identity(), optimizer, parameters);
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
    /// @param weightDecay of the matrices
    /// @param maxGradientNorm gradients with a larger norm are scaled down to it
    /// @param seed of the noise
    /// @param checkpointSteps steps between checkpoints; 0 for none but those by time
    /// @param checkpointNanos time between checkpoints
    /// @param identity text that a checkpoint must agree with to be continued
    public record Settings(
            int steps,
            int workers,
            LearningRate learningRate,
            double weightDecay,
            double maxGradientNorm,
            long seed,
            int checkpointSteps,
            long checkpointNanos,
            String identity) {}
}

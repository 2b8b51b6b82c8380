package dev.mixtral.train;

import dev.mixtral.error.InvalidRequestException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/// The training loop: batches, gradients, update, progress, checkpoint. Confined to one thread, which
/// starts workers; [#saveBeside] alone may come from another.
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

    /// The last step that the listener knows of.
    private int reported;

    /// The step of the checkpoint; 0 if there is none.
    private int saved;

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
            reported = step;
            saved = step;
        }
        return step;
    }

    /// Returns the step of the last checkpoint; 0 if there is none.
    public synchronized int savedStep() {
        return saved;
    }

    /// Trains until the last step, or until told to stop; either leaves a checkpoint, if a step has been done at
    /// all.
    ///
    /// @param data the batches of a step, which is counted from 0
    /// @param listener told of every step
    /// @param stop asked before each step
    /// @return whether all steps are done
    public boolean run(IntFunction<List<Batch>> data, Consumer<StepReport> listener, BooleanSupplier stop) {
        long nextCheckpoint = System.nanoTime() + settings.checkpointNanos();
        while (step < settings.steps() && !stop.getAsBoolean()) {
            listener.accept(oneStep(data.apply(step)));
            markReported();
            boolean isDue = settings.checkpointSteps() > 0 && step % settings.checkpointSteps() == 0;
            if (isDue || System.nanoTime() >= nextCheckpoint) {
                save();
                nextCheckpoint = System.nanoTime() + settings.checkpointNanos();
            }
        }
        save();
        return step == settings.steps();
    }

    /// Returns what a run that has stopped tells its user.
    ///
    /// @param savedStep the step of the checkpoint; 0 if there is none
    public static String stoppedAt(int savedStep) {
        return savedStep == 0
                ? "stopped before there was a checkpoint; begin again"
                : "stopped; the checkpoint is of step " + savedStep + ", from which --resume continues";
    }

    private synchronized void markReported() {
        reported = step;
    }

    /// Saves what the last step has left while the next one is being computed, for a process that has to end
    /// before that is done: until all gradients are there, weights and moments stay as they are. While a step is
    /// being reported, the last checkpoint is all there is, because the log would lack that step.
    ///
    /// @return the step of the checkpoint; 0 if there is none
    public synchronized int saveBeside() {
        if (reported == step) {
            save();
        }
        return saved;
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
        return update(batches, result, learningRate);
    }

    private synchronized StepReport update(List<Batch> batches, BatchResult result, double learningRate) {
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

    private synchronized void save() {
        if (saved != step) {
            new TrainingState(step, smoothedLoss).write(checkpoint, settings.identity(), optimizer, parameters);
            saved = step;
        }
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

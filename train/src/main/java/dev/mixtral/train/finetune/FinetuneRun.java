package dev.mixtral.train.finetune;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.PeftFolder;
import dev.mixtral.train.Batch;
import dev.mixtral.train.DataParallel;
import dev.mixtral.train.GradientPass;
import dev.mixtral.train.LayerwisePass;
import dev.mixtral.train.LearningRate;
import dev.mixtral.train.ModelWeights;
import dev.mixtral.train.Parameters;
import dev.mixtral.train.StepReport;
import dev.mixtral.train.StopOnExit;
import dev.mixtral.train.TorchMixtral;
import dev.mixtral.train.Trainer;
import dev.mixtral.train.WholeGraphPass;
import dev.mixtral.train.finetune.TargetModules.Module;
import dev.mixtral.train.report.EventFile;
import dev.mixtral.train.report.HtmlReport;
import dev.mixtral.train.report.LogEntry;
import dev.mixtral.train.report.RunLog;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// A run with its weights loaded: the loop, what it writes on the way, what it leaves. Confined to one thread.
final class FinetuneRun implements AutoCloseable {
    private static final double Z_WEIGHT = 0;
    private static final int PROBE_STEPS = 2;
    private static final long REPORT_NANOS = 10_000_000_000L;
    private static final long SMALL_MODEL = 200_000_000;

    private final Path model;
    private final Checkpoint checkpoint;
    private final FinetuneConfig config;
    private final List<Module> modules;
    private final Finetuning.Prepared prepared;
    private final PrintStream out;
    private final boolean isTerminal;
    private final @Nullable FrozenWeights frozen;
    private final @Nullable LoraParameters lora;
    private final @Nullable Parameters all;
    private final GradientPass pass;
    private final TorchMixtral torch;

    FinetuneRun(
            Path model,
            Checkpoint checkpoint,
            FinetuneConfig config,
            List<Module> modules,
            Finetuning.Prepared prepared,
            PrintStream out,
            boolean isTerminal) {
        this.model = model;
        this.checkpoint = checkpoint;
        this.config = config;
        this.modules = modules;
        this.prepared = prepared;
        this.out = out;
        this.isTerminal = isTerminal;
        boolean streamed = prepared.plan().streamed();
        ModelWeights weights;
        if (config.isFull()) {
            frozen = null;
            lora = null;
            all = FullWeights.load(checkpoint, config.threads());
            weights = all;
        } else {
            all = null;
            frozen = new FrozenWeights(checkpoint, !streamed, config.threads());
            lora = new LoraParameters(modules, config.rank(), config.dora(), config.seed());
            AdaptedWeights adapted =
                    new AdaptedWeights(frozen, lora, loraConfig().scaling(), config.dropout());
            if (config.dora()) {
                adapted.initializeMagnitudes();
            }
            weights = adapted;
        }
        this.torch = new TorchMixtral(weights);
        this.pass = streamed
                ? new LayerwisePass(torch, config.balanceLoss(), Z_WEIGHT)
                : new WholeGraphPass(torch, config.balanceLoss(), Z_WEIGHT);
    }

    /// Returns the model with what has been trained so far.
    TorchMixtral torch() {
        return torch;
    }

    private LoraConfig loraConfig() {
        return new LoraConfig(
                config.rank(),
                (float) config.alpha(),
                (float) config.dropout(),
                config.rsLora(),
                config.dora(),
                TargetModules.peftNames(checkpoint.config(), modules),
                model.toString());
    }

    /// Returns how long the run will take: measured on its first steps if the model is small, else told from the
    /// speed of matrix products.
    double expectedSeconds() {
        if (!prepared.plan().streamed() && prepared.plan().parameters() < SMALL_MODEL) {
            return measuredStep() * prepared.steps();
        }
        int rowsPerEpoch = prepared.rowsPerEpoch()[0];
        double tokensPerPass = (double) config.batchSize() * prepared.tokens() / rowsPerEpoch;
        double passes = (double) config.gradientAccumulation() * prepared.steps();
        boolean streamed = prepared.plan().streamed();
        double operations = passes
                * tokensPerPass
                * FinetunePlan.operationsPerToken(checkpoint.config(), config.isFull(), streamed);
        double seconds = operations / SpeedProbe.operationsPerSecond(checkpoint.config(), (long) tokensPerPass);
        if (streamed && frozen != null) {
            seconds += passes * 2 * prepared.plan().parameters() / frozen.decodedPerSecond();
        }
        return seconds;
    }

    /// Returns the seconds of one step, after one to warm up. The weights stay as they are.
    private double measuredStep() {
        try (var workers = new DataParallel(pass, numWorkers())) {
            long start = System.nanoTime();
            for (int i = 0; i < PROBE_STEPS; i++) {
                start = i == PROBE_STEPS - 1 ? System.nanoTime() : start;
                batches(Math.min(i, prepared.steps() - 1)).forEach(workers::accumulate);
            }
            pass.parameters().gradients().zero_();
            return (System.nanoTime() - start) / 1e9;
        }
    }

    private int numWorkers() {
        return prepared.plan().streamed() ? 1 : config.threads();
    }

    private List<Batch> batches(int step) {
        return prepared.train().step(prepared.rowsPerEpoch(), step, config.batchSize(), config.gradientAccumulation());
    }

    /// Trains until the last step, an early stop, or a request to stop.
    ///
    /// @return whether the run is complete
    boolean train(RunFolder files, boolean resume) {
        AtomicBoolean stop = new AtomicBoolean();
        try (Trainer trainer = new Trainer(settings(), pass, files.checkpoint());
                var _ = StopOnExit.install(stop, () -> out.println(Trainer.stoppedAt(trainer.saveBeside())))) {
            int done = resume ? trainer.resume() : 0;
            if (resume) {
                out.printf("continuing after step %d of %d%n", done, prepared.steps());
            }
            try (RunLog log = RunLog.open(files.log(), done);
                    EventFile events = new EventFile(files.path(), Clock.systemUTC())) {
                Watch watch = new Watch(trainer, files, log, events);
                boolean complete = trainer.run(this::batches, watch::step, () -> stop.get() || watch.isStale());
                watch.report();
                if (!complete && !watch.isStale()) {
                    out.println(Trainer.stoppedAt(trainer.savedStep()));
                    return false;
                }
                finish(files, watch);
                return true;
            } catch (UncheckedIOException e) {
                // A full disk, for instance: what is lost is what came after the last checkpoint.
                out.println(Trainer.stoppedAt(trainer.savedStep()));
                throw e;
            }
        }
    }

    private Trainer.Settings settings() {
        int steps = prepared.steps();
        int warmup = (int) Math.ceil(config.warmup() * steps);
        return new Trainer.Settings(
                steps,
                numWorkers(),
                new LearningRate(config.learningRate(), warmup, steps, config.finalRate()),
                config.weightDecay(),
                config.maxNorm(),
                config.seed(),
                config.checkpointEvery(),
                Long.MAX_VALUE / 2,
                prepared.identity());
    }

    private void finish(RunFolder files, Watch watch) {
        if (watch.isStale()) {
            out.printf("no better evaluation for %d times: stopped early%n", config.earlyStop());
        }
        if (all != null) {
            FullWeights.write(all, model, files.path());
        }
        writeAdapter(files.path());
        Double best = watch.best();
        if (best != null) {
            out.printf(Locale.ROOT, "best evaluation %.4f%s%n", best, lora == null ? "" : ", kept in " + files.best());
        }
    }

    private void writeAdapter(Path folder) {
        if (lora != null) {
            PeftFolder.write(lora.toAdapter(loraConfig()), folder);
        }
    }

    @Override
    public void close() {
        if (frozen != null) {
            frozen.close();
        }
    }

    /// Sees every step: measures, logs, draws, keeps the best.
    private final class Watch {
        private final Trainer trainer;
        private final RunFolder files;
        private final RunLog log;
        private final EventFile events;
        private final List<Batch> evaluation;
        private final FinetuneProgress progress = new FinetuneProgress(out, isTerminal, prepared.steps());
        private @Nullable Double best;
        private int withoutBetter;
        private long since = System.nanoTime();
        private long nextReport = since + REPORT_NANOS;

        Watch(Trainer trainer, RunFolder files, RunLog log, EventFile events) {
            this.trainer = trainer;
            this.files = files;
            this.log = log;
            this.events = events;
            this.evaluation = prepared.numEvaluation() == 0
                    ? List.of()
                    : prepared.evaluation().inOrder(config.batchSize());
            log.entries().forEach(entry -> judge(entry.evaluation()));
        }

        @Nullable
        Double best() {
            return best;
        }

        boolean isStale() {
            return config.earlyStop() > 0 && withoutBetter >= config.earlyStop();
        }

        /// Takes note of an evaluation.
        ///
        /// @return whether it is the best so far
        private boolean judge(@Nullable Double value) {
            if (value == null) {
                return false;
            }
            Double before = best;
            boolean isBetter = before == null || value < before;
            best = isBetter ? value : before;
            withoutBetter = isBetter ? 0 : withoutBetter + 1;
            return isBetter;
        }

        void step(StepReport step) {
            double seconds = (System.nanoTime() - since) / 1e9;
            boolean isDue = step.step() % config.evalEvery() == 0 || step.step() == step.steps();
            Double value = isDue && !evaluation.isEmpty() ? trainer.evaluate(evaluation) : null;
            LogEntry entry = new LogEntry(
                    step.step(),
                    step.loss(),
                    value,
                    step.learningRate(),
                    step.gradientNorm(),
                    step.tokens() / seconds,
                    LogEntry.shares(step.expertCounts()));
            if (judge(value)) {
                writeAdapter(files.best());
            }
            log.add(entry);
            addEvents(entry);
            if (System.nanoTime() >= nextReport) {
                report();
                nextReport = System.nanoTime() + REPORT_NANOS;
            }
            progress.show(entry, (System.nanoTime() - since) / 1e9);
            since = System.nanoTime();
        }

        private void addEvents(LogEntry entry) {
            events.scalar("train/loss", entry.step(), entry.loss());
            events.scalar("train/learning_rate", entry.step(), entry.learningRate());
            events.scalar("train/gradient_norm", entry.step(), entry.gradientNorm());
            events.scalar("train/tokens_per_second", entry.step(), entry.tokensPerSecond());
            Double value = entry.evaluation();
            if (value != null) {
                events.scalar("eval/loss", entry.step(), value);
            }
            for (int layer = 0; layer < entry.expertShares().size(); layer++) {
                List<Double> shares = entry.expertShares().get(layer);
                for (int expert = 0; expert < shares.size(); expert++) {
                    events.scalar("experts/layer%d/%d".formatted(layer, expert), entry.step(), shares.get(expert));
                }
            }
        }

        void report() {
            Map<String, String> facts = new LinkedHashMap<>();
            facts.put("model", model.toString());
            facts.put(
                    "trainable parameters",
                    String.format(Locale.ROOT, "%,d", prepared.plan().trainable()));
            facts.put("examples", String.format(Locale.ROOT, "%,d", prepared.numTrain()));
            facts.put("steps", log.entries().size() + " of " + prepared.steps());
            for (FinetuneKey key : FinetuneKey.values()) {
                facts.put(key.key(), config.text(key));
            }
            HtmlReport.write(files.report(), "Fine-tuning " + model.getFileName(), facts, log.entries());
        }
    }
}

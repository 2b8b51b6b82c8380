package dev.mixtral.train.finetune;

import dev.mixtral.chat.ChatTemplates;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import dev.mixtral.train.Segment;
import dev.mixtral.train.data.DataFault;
import dev.mixtral.train.data.ExampleEncoder;
import dev.mixtral.train.data.TrainingData;
import dev.mixtral.train.finetune.TargetModules.Module;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/// Fine-tunes a checkpoint: data in, adapter or checkpoint out. Confined to one thread.
public final class Finetuning implements AutoCloseable {
    private static final int SHOWN_FAULTS = 20;

    private final Path model;
    private final FinetuneConfig config;
    private final PrintStream out;
    private final boolean isTerminal;
    private final Checkpoint checkpoint;
    private final Tokenizer tokenizer;
    private final int eosId;
    private final int length;
    private final List<Module> modules;

    /// Opens the model.
    ///
    /// @param out where progress goes
    /// @param isTerminal whether a person sees it
    /// @throws dev.mixtral.error.MixtralException if there is no model, or it cannot be fine-tuned
    public Finetuning(Path model, FinetuneConfig config, PrintStream out, boolean isTerminal) {
        this.model = model;
        this.config = config;
        this.out = out;
        this.isTerminal = isTerminal;
        this.checkpoint = Checkpoints.open(model);
        try {
            if (config.isFull()) {
                FullWeights.check(checkpoint, model);
            }
            this.tokenizer = tokenizer(checkpoint);
            this.eosId = eosId(checkpoint, tokenizer);
            this.length = Math.min(config.sequenceLength(), checkpoint.config().contextLength());
            this.modules = config.isFull() ? List.of() : TargetModules.choose(checkpoint.config(), config.targets());
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /// Makes the encoder that training uses, for checking data without training.
    ///
    /// @param maxLength tokens that an example may have; at most the context is used
    public static ExampleEncoder encoder(Checkpoint checkpoint, int maxLength) {
        Tokenizer tokenizer = tokenizer(checkpoint);
        int length = Math.min(maxLength, checkpoint.config().contextLength());
        return new ExampleEncoder(
                tokenizer, ChatTemplates.forCheckpoint(checkpoint, tokenizer), eosId(checkpoint, tokenizer), length);
    }

    private static Tokenizer tokenizer(Checkpoint checkpoint) {
        return Tokenizers.open(checkpoint
                .tokenizerSource()
                .orElseThrow(() -> new ModelNotFoundException(checkpoint.source()
                        + " carries no tokenizer. Put the model's tokenizer.model into the same folder.")));
    }

    private static int eosId(Checkpoint checkpoint, Tokenizer tokenizer) {
        return checkpoint.eosTokenIds().isEmpty()
                ? tokenizer.eosId()
                : checkpoint.eosTokenIds().getFirst();
    }

    /// Tells what a run would take, and measures its speed; trains nothing and writes nothing.
    ///
    /// @throws InvalidRequestException if the data have faults or the memory is too small
    public void dryRun() {
        Prepared prepared = prepare();
        describe(prepared);
        prepared.plan().requireFits();
        try (FinetuneRun run = run(prepared)) {
            double seconds = run.expectedSeconds();
            out.printf(
                    Locale.ROOT, "time: about %s for %d steps on this machine%n", duration(seconds), prepared.steps());
        }
    }

    /// Trains.
    ///
    /// @param folder gets the adapter or checkpoint, the log, the report and the checkpoints of the run
    /// @param resume whether to continue from the last checkpoint in it
    /// @return whether the run is complete; if not, it was asked to stop and can be continued
    /// @throws InvalidRequestException if the data have faults or the memory is too small
    public boolean train(Path folder, boolean resume) {
        Prepared prepared = prepare();
        describe(prepared);
        prepared.plan().requireFits();
        try (RunFolder files = RunFolder.open(folder, resume);
                FinetuneRun run = run(prepared)) {
            files.write("finetune.yaml", config.toYaml());
            return run.train(files, resume);
        }
    }

    private FinetuneRun run(Prepared prepared) {
        PyTorch.start(prepared.plan().streamed() ? config.threads() : 1);
        return new FinetuneRun(model, checkpoint, config, modules, prepared, out, isTerminal);
    }

    /// Everything that is known before weights are loaded.
    ///
    /// @param train rows to learn from
    /// @param evaluation rows to measure; without examples if there are none
    /// @param numTrain examples that are learned from
    /// @param numEvaluation examples that are measured
    /// @param rowsPerEpoch of `train`
    /// @param steps of the run
    /// @param tokens of all data
    /// @param identity what a checkpoint must agree with
    record Prepared(
            FinetunePlan plan,
            TrainingRows train,
            TrainingRows evaluation,
            int numTrain,
            int numEvaluation,
            int[] rowsPerEpoch,
            int steps,
            long tokens,
            String identity) {}

    private Prepared prepare() {
        TrainingData data = read(config.data());
        List<List<Segment>> learned = new ArrayList<>(data.examples());
        List<List<Segment>> measured = new ArrayList<>();
        int dataChecksum = data.checksum();
        if (config.evalData().isEmpty()) {
            split(learned, measured);
        } else {
            TrainingData evaluation = read(config.evalData());
            measured.addAll(evaluation.examples());
            dataChecksum ^= 31 * evaluation.checksum();
        }
        TrainingRows train = new TrainingRows(learned, length, config.packing(), eosId, config.seed());
        TrainingRows evaluation = new TrainingRows(measured, length, config.packing(), eosId, config.seed());
        int[] rowsPerEpoch = train.rowsPerEpoch(config.epochs());
        long rows = Arrays.stream(rowsPerEpoch).asLongStream().sum();
        int rowsPerStep = config.batchSize() * config.gradientAccumulation();
        int allSteps = Math.toIntExact(Math.ceilDiv(rows, rowsPerStep));
        int steps = config.maxSteps() == 0 ? allSteps : Math.min(allSteps, config.maxSteps());
        double counted = (double) data.numCounted() / data.numTokens();
        FinetunePlan plan = FinetunePlan.of(checkpoint.config(), config, modules, length, counted);
        String identity = "%s; data %08x of %d examples; base %s; %d steps; rows %s"
                .formatted(
                        config.identity(),
                        dataChecksum,
                        learned.size(),
                        BaseIdentity.of(checkpoint),
                        steps,
                        plan.streamed() ? "streamed" : "decoded");
        return new Prepared(
                plan,
                train,
                evaluation,
                learned.size(),
                measured.size(),
                rowsPerEpoch,
                steps,
                data.numTokens(),
                identity);
    }

    private TrainingData read(List<Path> files) {
        ExampleEncoder encoder =
                new ExampleEncoder(tokenizer, ChatTemplates.forCheckpoint(checkpoint, tokenizer), eosId, length);
        TrainingData data = TrainingData.read(files, encoder);
        report(data.faults(), out);
        if (!data.faults().isEmpty() && !config.skipBad()) {
            throw new InvalidRequestException(
                    "data",
                    data.faults().size() + " of "
                            + (data.examples().size() + data.faults().size())
                            + " examples have faults, so nothing was trained. Correct them, or leave them out with"
                            + " --skip-bad.");
        }
        if (!data.faults().isEmpty()) {
            out.println("skip-bad: training WITHOUT these " + data.faults().size() + " examples");
        }
        if (data.rewrittenIds() > 0) {
            out.println(data.rewrittenIds() + " ids of tool calls were replaced by ids of nine letters and digits,"
                    + " which Mistral's format asks for");
        }
        if (data.examples().isEmpty()) {
            throw new InvalidRequestException("data", "no example is left to learn from");
        }
        return data;
    }

    /// Prints faults, the first ones if there are many.
    public static void report(List<DataFault> faults, PrintStream out) {
        faults.stream().limit(SHOWN_FAULTS).forEach(out::println);
        if (faults.size() > SHOWN_FAULTS) {
            out.println("and " + (faults.size() - SHOWN_FAULTS) + " more; mixtral validate-data lists all of them");
        }
    }

    /// Moves a share of the examples, chosen by the seed, from one list to the other.
    private void split(List<List<Segment>> learned, List<List<Segment>> measured) {
        int count = (int) (learned.size() * config.evalShare());
        SplittableRandom random = new SplittableRandom(config.seed());
        for (int i = 0; i < count; i++) {
            measured.add(learned.remove(random.nextInt(learned.size())));
        }
    }

    private void describe(Prepared prepared) {
        FinetunePlan plan = prepared.plan();
        out.printf(
                Locale.ROOT,
                "model: %s, %,d parameters, frozen weights %s%n",
                model,
                plan.parameters(),
                config.isFull() ? "none" : plan.streamed() ? "streamed (decoded layer by layer)" : "decoded");
        out.printf(
                Locale.ROOT,
                "trainable: %,d parameters (%.2f %%)%s%n",
                plan.trainable(),
                100.0 * plan.trainable() / plan.parameters(),
                config.isFull() ? "" : " in " + modules.size() + " matrices of rank " + config.rank());
        out.printf(
                Locale.ROOT,
                "data: %,d examples, %,d tokens, in %,d rows per epoch of up to %,d tokens; %,d examples for evaluation%n",
                prepared.numTrain(),
                prepared.tokens(),
                prepared.rowsPerEpoch()[0],
                length,
                prepared.numEvaluation());
        out.printf(
                Locale.ROOT,
                "steps: %d of %d rows%n",
                prepared.steps(),
                config.batchSize() * config.gradientAccumulation());
        out.printf(
                Locale.ROOT,
                "memory: about %.1f GiB, of %.1f available%n",
                FinetunePlan.gib(plan.bytes()),
                FinetunePlan.gib(plan.availableBytes()));
    }

    static String duration(double seconds) {
        long whole = Math.round(seconds);
        return whole < 3600
                ? "%d:%02d min".formatted(whole / 60, whole % 60)
                : "%d:%02d h".formatted(whole / 3600, whole % 3600 / 60);
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}

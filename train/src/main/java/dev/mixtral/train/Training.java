package dev.mixtral.train;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.tokenizer.SentencePieceModel;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import dev.mixtral.train.corpus.CorpusGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;

/// Makes a small Mixtral from nothing: tokenizer, training, model folder, scores.
public final class Training {
    private static final int TOKENIZER_EXAMPLES = 60_000;
    private static final float PROMPT_WEIGHT = 0.1f;
    private static final int LOG_EVERY = 20;
    private static final int WARMUP_STEPS = 150;
    private static final double FINAL_LEARNING_RATE_SHARE = 0.02;
    private static final double WEIGHT_DECAY = 0.1;
    private static final double MAX_GRADIENT_NORM = 1.0;
    private static final double BALANCE_WEIGHT = 0.02;
    private static final double Z_WEIGHT = 1e-4;

    private final TrainOptions options;
    private final PrintStream out;
    private final Tokenizer tokenizer;
    private final ConversationEncoder encoder;
    private final Curriculum curriculum;

    private Training(TrainOptions options, PrintStream out) {
        this.options = options;
        this.out = out;
        this.tokenizer = tokenizer();
        this.encoder = new ConversationEncoder(tokenizer, PROMPT_WEIGHT);
        this.curriculum = Curriculum.upTo(options.config(1).contextLength(), options.tokensPerStep());
    }

    /// Trains, and writes the finished model. An interrupt of the process (Ctrl-C) leaves a checkpoint that
    /// [TrainOptions#resume()] continues.
    ///
    /// @param out where progress goes
    public static void run(TrainOptions options, PrintStream out) {
        // Worker threads share the cores already; more threads inside an operation only wait for each other.
        openblas_nolapack.blas_set_num_threads(1);
        torch.set_num_threads(1);
        try {
            Files.createDirectories(options.output());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the folder " + options.output(), e);
        }
        new Training(options, out).run();
    }

    private void run() {
        MixtralConfig config = options.config(tokenizer.vocabSize());
        out.printf(
                "mixtral: %.2f M parameters, %.2f M active per token, vocabulary %d%n",
                config.numParameters() / 1e6, config.numActiveParameters() / 1e6, tokenizer.vocabSize());
        Parameters parameters = new Parameters(config, options.seed());
        TorchMixtral model = new TorchMixtral(parameters);
        if (train(model)) {
            finish(model, parameters);
        }
    }

    private boolean train(TorchMixtral model) {
        Path checkpoint = options.output().resolve("checkpoint.bin");
        AtomicBoolean stop = new AtomicBoolean();
        try (var trainer = new Trainer(settings(), new WholeGraphPass(model, BALANCE_WEIGHT, Z_WEIGHT), checkpoint);
                var log = new ProgressLog(out, options.output().resolve("training-log.jsonl"), LOG_EVERY);
                var _ = StopOnExit.install(stop, () -> tellCheckpoint(trainer.saveBeside()))) {
            if (options.resume()) {
                out.printf("continuing after step %d%n", trainer.resume());
            }
            boolean done = trainer.run(this::batches, log::report, stop::get);
            if (!done) {
                tellCheckpoint(trainer.savedStep());
            }
            return done;
        }
    }

    private void tellCheckpoint(int step) {
        out.println(Trainer.stoppedAt(step));
    }

    private Trainer.Settings settings() {
        return new Trainer.Settings(
                options.steps(),
                options.workers(),
                new LearningRate(options.learningRate(), WARMUP_STEPS, options.steps(), FINAL_LEARNING_RATE_SHARE),
                WEIGHT_DECAY,
                MAX_GRADIENT_NORM,
                options.seed(),
                0,
                (long) (options.checkpointMinutes() * TimeUnit.MINUTES.toNanos(1)),
                options.identity());
    }

    /// Each step has a corpus of its own, so that a step's data depend on nothing that went before.
    private List<Batch> batches(int step) {
        Curriculum.Phase phase = curriculum.at(step, options.steps());
        SplittableRandom random = new SplittableRandom(options.seed() * 1_000_003L + step);
        CorpusGenerator corpus = new CorpusGenerator(random.nextLong());
        Packer packer = new Packer(() -> encoder.segment(corpus.next()), random, tokenizer.eosId());
        return List.of(packer.pack(phase.rows(), phase.length()));
    }

    private void finish(TorchMixtral model, Parameters parameters) {
        new ModelFolder(options.output()).write(parameters, tokenizer);
        out.println("scoring held-out prompts");
        var scores = new Evaluation(encoder, tokenizer)
                .scores(new TorchGenerator(model, tokenizer.eosId()), options.examplesPerSkill());
        scores.forEach(score -> out.printf("%-24s %d/%d%n", score.skill(), score.correct(), score.total()));
        HeldOutLoss loss = HeldOutLoss.measure(model, encoder, options.examplesPerSkill());
        out.printf("perplexity of held-out answers %.3f%n", loss.perplexity());
        new ModelCard(options, model.config(), loss, scores).write(options.output());
    }

    private Tokenizer tokenizer() {
        Path file = options.output().resolve("tokenizer.model");
        if (!options.resume() || !Files.exists(file)) {
            out.printf("learning a vocabulary of %d pieces%n", options.vocabSize());
            try {
                Files.write(file, learnVocabulary().toByteArray());
            } catch (IOException e) {
                throw new UncheckedIOException("cannot write " + file, e);
            }
        }
        return Tokenizers.open(file);
    }

    /// Learns from the corpus as the template writes it. The template needs a tokenizer to do so: one that knows
    /// nothing but bytes serves.
    private SentencePieceModel learnVocabulary() {
        BpeTrainer trainer = new BpeTrainer();
        ConversationEncoder bytes = new ConversationEncoder(Tokenizers.of(BpeTrainer.bytesOnly()), PROMPT_WEIGHT);
        CorpusGenerator corpus = new CorpusGenerator(options.seed());
        for (int i = 0; i < TOKENIZER_EXAMPLES; i++) {
            bytes.texts(corpus.next()).forEach(trainer::add);
        }
        return trainer.train(options.vocabSize());
    }
}

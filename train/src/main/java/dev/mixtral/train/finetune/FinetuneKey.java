package dev.mixtral.train.finetune;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The settings of a fine-tuning run: names, what values they take, defaults, meaning.
public enum FinetuneKey {
    DATA("data", "files", "", "JSONL, JSON or text to learn from"),
    EVAL_DATA("eval-data", "files", "", "measured, not learned from; instead of a share of the data"),
    METHOD("method", "lora or full", "lora", "train an adapter over frozen weights, or all weights of a small model"),
    RANK("rank", "1 or more", "16", "rank of the adapter's matrices"),
    ALPHA("alpha", "a number", "32", "weight of the adapter: it is scaled by alpha / rank"),
    RSLORA("rslora", "true or false", "false", "scale by alpha / sqrt(rank) instead (arXiv 2312.03732)"),
    DORA("dora", "true or false", "false", "train the lengths of the rows apart (arXiv 2402.09353)"),
    DROPOUT("dropout", "0 to below 1", "0", "share of the adapter's inputs that a step drops"),
    TARGETS(
            "targets",
            "words or patterns",
            "attention",
            "attention, experts, router, all-linear, a name such as q_proj, or a pattern over whole names"),
    SEQUENCE_LENGTH("sequence-length", "tokens", "1024", "longest example, and length of packed rows"),
    PACKING("packing", "true or false", "true", "fill rows with several examples, which do not see each other"),
    BATCH_SIZE("batch-size", "rows", "8", "rows of a pass through the model"),
    GRADIENT_ACCUMULATION("gradient-accumulation", "passes", "1", "passes before the weights are updated"),
    EPOCHS("epochs", "1 or more", "3", "how often the data are gone through"),
    MAX_STEPS("max-steps", "0 or more", "0", "end after so many updates; 0 for all epochs"),
    LEARNING_RATE("learning-rate", "above 0", "2e-4", "peak of the schedule"),
    WARMUP("warmup", "0 to below 1", "0.05", "share of the steps in which the learning rate rises"),
    FINAL_RATE("final-rate", "0 to 1", "0.1", "learning rate of the last step, as a share of the peak, along a cosine"),
    WEIGHT_DECAY("weight-decay", "0 or more", "0.01", "AdamW's, of the matrices"),
    MAX_NORM("max-norm", "above 0", "1.0", "gradients with a larger norm are scaled down to it"),
    BALANCE_LOSS("balance-loss", "0 or more", "0.001", "weight of the loss that keeps the use of experts even"),
    EVAL_SHARE("eval-share", "0 to below 1", "0.05", "share of the examples that is measured, not learned from"),
    EVAL_EVERY("eval-every", "steps", "50", "steps between two evaluations"),
    EARLY_STOP("early-stop", "0 or more", "0", "end after so many evaluations without a better one; 0 for never"),
    CHECKPOINT_EVERY("checkpoint-every", "steps", "100", "steps between two checkpoints"),
    SEED("seed", "a whole number", "1", "of the adapter's first weights, the order of the data and dropout"),
    THREADS("threads", "0 or more", "0", "threads; 0 for one per processor. Part of what makes a run repeatable"),
    WEIGHTS(
            "weights",
            "auto, decoded or streamed",
            "auto",
            "keep the frozen weights as f32, or decode them layer by layer in every pass (QLoRA)"),
    MEMORY_GIB("memory-gib", "0 or more", "0", "memory that the run may take; 0 for what the machine has free"),
    SKIP_BAD("skip-bad", "true or false", "false", "leave out examples with faults instead of refusing to begin");

    private final String key;
    private final String expected;
    private final String defaultText;
    private final String meaning;

    FinetuneKey(String key, String expected, String defaultText, String meaning) {
        this.key = key;
        this.expected = expected;
        this.defaultText = defaultText;
        this.meaning = meaning;
    }

    /// Returns the name in a configuration file; with two dashes before it, the flag.
    public String key() {
        return key;
    }

    /// Returns which values it takes, for people.
    public String expected() {
        return expected;
    }

    /// Returns the default as it would stand in a file; empty for none.
    public String defaultText() {
        return defaultText;
    }

    /// Returns what it is for.
    public String meaning() {
        return meaning;
    }

    /// Returns whether it takes several values.
    public boolean takesSeveral() {
        return this == DATA || this == EVAL_DATA || this == TARGETS;
    }

    /// Finds a setting by its name.
    public static Optional<FinetuneKey> find(String key) {
        return Arrays.stream(values()).filter(each -> each.key.equals(key)).findFirst();
    }

    /// Returns all names.
    public static List<String> keys() {
        return Arrays.stream(values()).map(FinetuneKey::key).toList();
    }
}

package dev.mixtral.train.finetune;

import dev.mixtral.error.InvalidRequestException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;

/// The settings of a run, checked. Immutable.
public final class FinetuneConfig {
    /// How the frozen weights are kept.
    public enum Weights {
        /// Decoded if they fit, else streamed.
        AUTO,
        /// As f32, decoded once.
        DECODED,
        /// As they are stored, decoded layer by layer.
        STREAMED
    }

    private final Map<FinetuneKey, List<String>> texts = new EnumMap<>(FinetuneKey.class);

    private FinetuneConfig(Map<String, List<String>> given) {
        given.forEach((name, values) -> {
            FinetuneKey key = FinetuneKey.find(name)
                    .orElseThrow(() -> new InvalidRequestException(
                            name, "there is no setting '" + name + "'; there are " + FinetuneKey.keys()));
            if (!key.takesSeveral() && values.size() != 1) {
                throw new InvalidRequestException(name, name + ": expected one value, got " + values);
            }
            texts.put(key, List.copyOf(values));
        });
    }

    /// Reads settings; those that are not given have their defaults.
    ///
    /// @param given values by name, as they stand in a file or behind a flag
    /// @throws InvalidRequestException naming the setting that is unknown or has an impossible value
    public static FinetuneConfig of(Map<String, List<String>> given) {
        FinetuneConfig config = new FinetuneConfig(given);
        config.checkAll();
        return config;
    }

    private void checkAll() {
        for (FinetuneKey key : FinetuneKey.values()) {
            checkValue(key);
        }
        if (data().isEmpty()) {
            throw new InvalidRequestException("data", "data: no files to learn from were named");
        }
        boolean unused = isFull() && (dora() || rsLora() || texts.containsKey(FinetuneKey.TARGETS));
        if (unused) {
            throw new InvalidRequestException(
                    "method", "method is full, which has no adapter: rslora, dora and targets mean nothing then");
        }
        if (isFull() && weights() == Weights.STREAMED) {
            throw new InvalidRequestException(
                    "weights", "weights is streamed, but method full changes them: they must be decoded");
        }
    }

    private void checkValue(FinetuneKey key) {
        Object _ = switch (key) {
            case DATA -> data();
            case EVAL_DATA -> evalData();
            case METHOD -> isFull();
            case RANK -> rank();
            case ALPHA -> alpha();
            case RSLORA -> rsLora();
            case DORA -> dora();
            case DROPOUT -> dropout();
            case TARGETS -> targets();
            case SEQUENCE_LENGTH -> sequenceLength();
            case PACKING -> packing();
            case BATCH_SIZE -> batchSize();
            case GRADIENT_ACCUMULATION -> gradientAccumulation();
            case EPOCHS -> epochs();
            case MAX_STEPS -> maxSteps();
            case LEARNING_RATE -> learningRate();
            case WARMUP -> warmup();
            case FINAL_RATE -> finalRate();
            case WEIGHT_DECAY -> weightDecay();
            case MAX_NORM -> maxNorm();
            case BALANCE_LOSS -> balanceLoss();
            case EVAL_SHARE -> evalShare();
            case EVAL_EVERY -> evalEvery();
            case EARLY_STOP -> earlyStop();
            case CHECKPOINT_EVERY -> checkpointEvery();
            case SEED -> seed();
            case THREADS -> threads();
            case WEIGHTS -> weights();
            case MEMORY_GIB -> memoryGib();
            case SKIP_BAD -> skipBad();
        };
    }

    /// Returns the value of a setting as text, its default if it was not given.
    public String text(FinetuneKey key) {
        return String.join(",", list(key));
    }

    private List<String> list(FinetuneKey key) {
        List<String> given = texts.get(key);
        if (given != null) {
            return given;
        }
        return key.defaultText().isEmpty() ? List.of() : List.of(key.defaultText());
    }

    /// Returns everything as a configuration file.
    public String toYaml() {
        StringBuilder yaml = new StringBuilder();
        for (FinetuneKey key : FinetuneKey.values()) {
            String value = key.takesSeveral()
                    ? list(key).stream().map(FinetuneConfig::quoted).collect(Collectors.joining(", ", "[", "]"))
                    : text(key);
            yaml.append(key.key())
                    .append(": ")
                    .append(value)
                    .append("  # ")
                    .append(key.meaning())
                    .append('\n');
        }
        return yaml.toString();
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    /// Returns what a checkpoint must agree with to be continued: every setting that the result depends on.
    String identity() {
        return Arrays.stream(FinetuneKey.values())
                .filter(key -> switch (key) {
                    case DATA, EVAL_DATA, CHECKPOINT_EVERY, MEMORY_GIB, SKIP_BAD, EARLY_STOP, EVAL_EVERY -> false;
                    default -> true;
                })
                .map(key -> key.key() + " " + text(key))
                .collect(Collectors.joining(", "));
    }

    List<Path> data() {
        return list(FinetuneKey.DATA).stream().map(Path::of).toList();
    }

    List<Path> evalData() {
        return list(FinetuneKey.EVAL_DATA).stream().map(Path::of).toList();
    }

    boolean isFull() {
        return choice(FinetuneKey.METHOD, "lora", "full").equals("full");
    }

    int rank() {
        return whole(FinetuneKey.RANK, n -> n >= 1 && n <= 4096);
    }

    double alpha() {
        return number(FinetuneKey.ALPHA, Double::isFinite);
    }

    boolean rsLora() {
        return truth(FinetuneKey.RSLORA);
    }

    boolean dora() {
        return truth(FinetuneKey.DORA);
    }

    double dropout() {
        return number(FinetuneKey.DROPOUT, x -> x >= 0 && x < 1);
    }

    List<String> targets() {
        return list(FinetuneKey.TARGETS);
    }

    int sequenceLength() {
        return whole(FinetuneKey.SEQUENCE_LENGTH, n -> n >= 8);
    }

    boolean packing() {
        return truth(FinetuneKey.PACKING);
    }

    int batchSize() {
        return whole(FinetuneKey.BATCH_SIZE, n -> n >= 1);
    }

    int gradientAccumulation() {
        return whole(FinetuneKey.GRADIENT_ACCUMULATION, n -> n >= 1);
    }

    int epochs() {
        return whole(FinetuneKey.EPOCHS, n -> n >= 1);
    }

    int maxSteps() {
        return whole(FinetuneKey.MAX_STEPS, n -> n >= 0);
    }

    double learningRate() {
        return number(FinetuneKey.LEARNING_RATE, x -> x > 0 && x < 1);
    }

    double warmup() {
        return number(FinetuneKey.WARMUP, x -> x >= 0 && x < 1);
    }

    double finalRate() {
        return number(FinetuneKey.FINAL_RATE, x -> x >= 0 && x <= 1);
    }

    double weightDecay() {
        return number(FinetuneKey.WEIGHT_DECAY, x -> x >= 0 && x < 10);
    }

    double maxNorm() {
        return number(FinetuneKey.MAX_NORM, x -> x > 0);
    }

    double balanceLoss() {
        return number(FinetuneKey.BALANCE_LOSS, x -> x >= 0);
    }

    double evalShare() {
        return number(FinetuneKey.EVAL_SHARE, x -> x >= 0 && x < 1);
    }

    int evalEvery() {
        return whole(FinetuneKey.EVAL_EVERY, n -> n >= 1);
    }

    int earlyStop() {
        return whole(FinetuneKey.EARLY_STOP, n -> n >= 0);
    }

    int checkpointEvery() {
        return whole(FinetuneKey.CHECKPOINT_EVERY, n -> n >= 1);
    }

    long seed() {
        return parse(FinetuneKey.SEED, _ -> true);
    }

    int threads() {
        int given = whole(FinetuneKey.THREADS, n -> n >= 0 && n <= 1024);
        return given == 0 ? Runtime.getRuntime().availableProcessors() : given;
    }

    Weights weights() {
        return switch (choice(FinetuneKey.WEIGHTS, "auto", "decoded", "streamed")) {
            case "decoded" -> Weights.DECODED;
            case "streamed" -> Weights.STREAMED;
            default -> Weights.AUTO;
        };
    }

    double memoryGib() {
        return number(FinetuneKey.MEMORY_GIB, x -> x >= 0);
    }

    boolean skipBad() {
        return truth(FinetuneKey.SKIP_BAD);
    }

    private int whole(FinetuneKey key, LongPredicate isValid) {
        return (int) parse(key, n -> n >= Integer.MIN_VALUE && n <= Integer.MAX_VALUE && isValid.test(n));
    }

    private long parse(FinetuneKey key, LongPredicate isValid) {
        try {
            long value = Long.parseLong(text(key));
            if (isValid.test(value)) {
                return value;
            }
        } catch (NumberFormatException _) {
            // Answered below, as any other impossible value.
        }
        throw impossible(key);
    }

    private double number(FinetuneKey key, DoublePredicate isValid) {
        try {
            double value = Double.parseDouble(text(key));
            if (isValid.test(value)) {
                return value;
            }
        } catch (NumberFormatException _) {
            // Answered below, as any other impossible value.
        }
        throw impossible(key);
    }

    private boolean truth(FinetuneKey key) {
        return choice(key, "true", "false").equals("true");
    }

    private String choice(FinetuneKey key, String... choices) {
        String value = text(key);
        if (!List.of(choices).contains(value)) {
            throw impossible(key);
        }
        return value;
    }

    private InvalidRequestException impossible(FinetuneKey key) {
        return new InvalidRequestException(
                key.key(), key.key() + ": expected " + key.expected() + ", got '" + text(key) + "'");
    }
}

package dev.mixtral.cli;

import dev.mixtral.cli.OptionChecks.UsageException;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.sampling.SamplingParams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How the next token is chosen: the options of every command that generates.
final class SamplingOptions {
    @Option(
            names = "--temperature",
            paramLabel = "X",
            defaultValue = "0",
            description = "0 takes the most probable token, more is more varied (default: ${DEFAULT-VALUE}).")
    private double temperature;

    @Option(names = "--top-p", paramLabel = "P", defaultValue = "1", description = "Keep tokens up to this mass.")
    private double topP;

    @Option(names = "--top-k", paramLabel = "N", defaultValue = "0", description = "Keep the N most probable tokens.")
    private int topK;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            defaultValue = "0",
            description = "Drop tokens below this share of the most probable one.")
    private double minP;

    @Option(
            names = "--typical-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Keep the most typical tokens up to this mass.")
    private double typicalP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            defaultValue = "1",
            description = "Above 1, makes tokens of prompt and answer less likely.")
    private double repetitionPenalty;

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            defaultValue = "0",
            description = "Taken off the logit of every token generated before.")
    private double presencePenalty;

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            defaultValue = "0",
            description = "Taken off the logit for each time a token was generated.")
    private double frequencyPenalty;

    @Option(names = "--logit-bias", paramLabel = "ID=X", description = "Added to a token's logit. May be repeated.")
    private Map<Integer, Float> logitBias = new LinkedHashMap<>();

    @Option(names = "--seed", paramLabel = "N", description = "Makes the draws repeatable.")
    private @Nullable Long seed;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "0",
            description = "Most tokens to generate. Default: as many as the context holds.")
    private int maxTokens;

    @Option(names = "--stop", paramLabel = "TEXT", description = "Ends the answer where it appears. May be repeated.")
    private List<String> stop = new ArrayList<>();

    /// Returns the options as the engine takes them.
    ///
    /// @param topLogprobs rivals to report with each token, or `null` for no log-probabilities
    /// @throws UsageException if one is out of range
    SamplingParams toParams(@Nullable Integer topLogprobs) {
        try {
            return SamplingParams.builder()
                    .temperature(temperature)
                    .topP(topP)
                    .topK(topK)
                    .minP(minP)
                    .typicalP(typicalP)
                    .repetitionPenalty(repetitionPenalty)
                    .presencePenalty(presencePenalty)
                    .frequencyPenalty(frequencyPenalty)
                    .logitBias(logitBias)
                    .seed(seed)
                    .maxTokens(maxTokens)
                    .stop(stop)
                    .topLogprobs(topLogprobs)
                    .build();
        } catch (InvalidRequestException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }
}

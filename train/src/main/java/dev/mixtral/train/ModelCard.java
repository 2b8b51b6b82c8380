package dev.mixtral.train;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.train.Evaluation.Sample;
import dev.mixtral.train.Evaluation.SkillScore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes what a model is, how it was made and how well it does: `README.md` for people, `scores.json` for tests.
///
/// @param options what it was made with
/// @param config its architecture
/// @param loss on held-out conversations
/// @param scores on held-out prompts, by skill
record ModelCard(TrainOptions options, MixtralConfig config, HeldOutLoss loss, List<SkillScore> scores) {
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /// Writes both files.
    void write(Path folder) {
        try {
            Files.writeString(folder.resolve("README.md"), markdown());
            Files.writeString(folder.resolve("scores.json"), JSON.writeValueAsString(json()) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the model card in " + folder, e);
        }
    }

    private ObjectNode json() {
        ObjectNode json = JSON.createObjectNode();
        json.put("held_out_nats_per_answer_token", round(loss.natsPerToken()));
        json.put("held_out_perplexity", round(loss.perplexity()));
        json.put("held_out_answer_tokens", loss.numTokens());
        ObjectNode skills = json.putObject("skills");
        for (SkillScore score : scores) {
            skills.putObject(score.skill()).put("correct", score.correct()).put("total", score.total());
        }
        ArrayNode layers = json.putArray("expert_share");
        for (long[] counts : loss.expertCounts()) {
            ArrayNode shares = layers.addArray();
            double total = sum(counts);
            for (long count : counts) {
                shares.add(round(count / total));
            }
        }
        return json;
    }

    private String markdown() {
        return """
                ---
                license: apache-2.0
                architecture: MixtralForCausalLM
                ---
                # mixtral-tiny

                A Mixtral of %.2f million parameters (%.2f million per token), trained from scratch by this project \
                on a synthetic corpus. It exists to show and to test every feature of the program with answers that \
                can be checked, and as a template for small models of one's own. It knows a few tasks and no more: \
                do not ask it for knowledge.

                | | |
                |---|---|
                | layers, width | %d, %d |
                | query / KV heads of %d | %d / %d |
                | experts, per token, inner width | %d, %d, %d |
                | vocabulary | %,d pieces, SentencePiece BPE with byte fallback, Mistral v3 control tokens |
                | context | %,d tokens |
                | RoPE base | %.0f |

                ## Training
                `mixtral train --steps %d --seed %d --learning-rate %s` with %d workers: %.1f million tokens, AdamW, \
                warm-up and cosine, load-balancing loss. The corpus is generated (`dev.mixtral.train.corpus`), apart from \
                6 KB of public-domain prose, whose sources lie beside it. `training-log.jsonl` has the course of the \
                loss. With `--output DIR` the same command and seed make the same weights again.

                ## Held-out prompts, greedy answers
                | skill | correct | of |
                |---|---|---|
                %s
                Perplexity of held-out answers: %.3f (%.4f nats per token, %,d tokens).

                ## Use of the experts on held-out conversations
                | layer | least used | most used |
                |---|---|---|
                %s
                ## Samples
                %s""".formatted(
                        config.numParameters() / 1e6,
                        config.numActiveParameters() / 1e6,
                        config.numLayers(),
                        config.dim(),
                        config.headDim(),
                        config.numHeads(),
                        config.numKvHeads(),
                        config.numExperts(),
                        config.numExpertsPerToken(),
                        config.ffnDim(),
                        config.vocabSize(),
                        config.contextLength(),
                        config.ropeTheta(),
                        options.steps(),
                        options.seed(),
                        options.learningRate(),
                        options.workers(),
                        (double) options.steps() * options.tokensPerStep() / 1e6,
                        scoreRows(),
                        loss.perplexity(),
                        loss.natsPerToken(),
                        loss.numTokens(),
                        expertRows(),
                        samples());
    }

    private String scoreRows() {
        return scores.stream()
                .map(score -> "| %s | %d | %d |%n".formatted(score.skill(), score.correct(), score.total()))
                .collect(Collectors.joining());
    }

    private String expertRows() {
        StringBuilder rows = new StringBuilder();
        for (int layer = 0; layer < loss.expertCounts().length; layer++) {
            double[] range = ProgressLog.range(loss.expertCounts()[layer]);
            rows.append(
                    String.format(Locale.ROOT, "| %d | %.1f %% | %.1f %% |%n", layer, 100 * range[0], 100 * range[1]));
        }
        return rows.toString();
    }

    /// The first sample of each skill, and the first one that went wrong.
    private String samples() {
        StringBuilder text = new StringBuilder();
        for (SkillScore score : scores) {
            text.append("**").append(score.skill()).append("**\n\n");
            append(text, score.samples().getFirst());
            score.samples().stream()
                    .skip(1)
                    .filter(sample -> !sample.correct())
                    .findFirst()
                    .ifPresent(sample -> append(text, sample));
        }
        return text.toString();
    }

    private static void append(StringBuilder text, Sample sample) {
        text.append("```text\n> ")
                .append(sample.prompt().strip().replace("\n", "\n> "))
                .append('\n');
        text.append(sample.actual().strip());
        if (!sample.correct()) {
            text.append("\n(expected: ").append(sample.expected().strip()).append(')');
        }
        text.append("\n```\n\n");
    }

    private static double sum(long[] counts) {
        double total = 0;
        for (long count : counts) {
            total += count;
        }
        return total;
    }

    private static double round(double value) {
        return Math.round(value * 1e4) / 1e4;
    }
}

package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Every command over a small model: results, streams, exit codes.
class ModelCommandsTest {
    @TempDir
    private static Path folder;

    private static String model;

    @BeforeAll
    static void makeModel() {
        model = TestModel.writeTo(folder);
    }

    private static final String NO_EOS = "--logit-bias=" + TestModel.EOS_ID + "=-1000";

    private static CommandRun run(String input, String... args) {
        return CommandRun.of(folder, input, args);
    }

    private static JsonNode json(CommandRun run) {
        assertThat(run.exitCode()).as(run.err()).isZero();
        return JsonLines.MAPPER.readTree(run.out());
    }

    @Test
    void inspectTellsShapeTypesAndMemory() {
        JsonNode report = json(run("", "inspect", model, "--json", "--context", "100", "--batch", "2"));

        assertThat(report.at("/config/numExperts").intValue()).isEqualTo(8);
        assertThat(report.at("/types/Q8_0/tensors").intValue()).isEqualTo(16);
        // 2 layers × 2 KV heads × 64 values × key and value × 2 bytes × 100 positions × 2 sequences
        assertThat(report.at("/memory/kvCacheF16Bytes").longValue()).isEqualTo(2L * 2 * 64 * 2 * 2 * 100 * 2);
        assertThat(report.at("/activeParameters").longValue())
                .isLessThan(report.at("/parameters").longValue());
        assertThat(run("", "inspect", model, "--tensors").out())
                .contains("8 experts of 256, 2 per token")
                .contains("blk.1.ffn_down_exps.weight  Q8_0 [8, 256, 256]");
    }

    @Test
    void tokenizeAndDetokenizeAreInverse() {
        CommandRun ids = run("{\"text\":\"héllo\"}\n", "tokenize", model, "--bos");

        assertThat(ids.out()).startsWith("{\"ids\":[1,");
        assertThat(run(ids.out(), "detokenize", model).out()).isEqualTo("{\"text\":\"héllo\"}\n");
    }

    @Test
    void controlTokensInTextAreTextUnlessAskedFor() {
        String line = "{\"text\":\"a</s>\"}";

        assertThat(run(line, "tokenize", model).out()).doesNotContain(",2]");
        assertThat(run(line, "tokenize", model, "--special").out()).contains(",2]");
    }

    @Test
    void templatePutsTheTurnIntoInstructions() {
        String line = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n{\"messages\":[]}\n";
        List<String> lines = run(line, "template", model, "--version", "v1", "--strict")
                .out()
                .lines()
                .toList();

        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).contains("[INST]").contains("\"ids\":[1,");
        assertThat(lines.get(1)).startsWith("{\"error\":").endsWith("\"line\":2}");
    }

    @Test
    void logitsOfAllPositionsEndWithThoseOfTheLast() {
        String line = "{\"ids\":[1,300,301]}";
        JsonNode all = json(run(line, "logits", model, "--all", "--kv", "f32")).get("logits");
        JsonNode last = json(run(line, "logits", model, "--kv", "f32")).get("logits");

        assertThat(all.size()).isEqualTo(3);
        assertThat(last.size()).isEqualTo(512);
        assertThat(all.get(2)).isEqualTo(last);
    }

    @Test
    void badIdsAreAnsweredOnTheirLine() {
        CommandRun run = run("{\"ids\":[512]}\n{\"ids\":[]}\n{\"ids\":[1]}\n", "logits", model);

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out().lines().map(line -> line.substring(0, 9)))
                .containsExactly("{\"error\":", "{\"error\":", "{\"logits\"");
    }

    @Test
    void perplexityOfRandomWeightsIsNearTheVocabularysSize() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "The quick brown fox jumps over the lazy dog.");
        JsonNode report = json(run("", "perplexity", model, "-f", text.toString(), "--context", "16", "--json"));

        assertThat(report.get("tokens").intValue()).isGreaterThan(40);
        assertThat(report.get("perplexity").doubleValue()).isBetween(100.0, 3000.0);
    }

    @Test
    void perplexityOfAnswersCountsTheLastMessageAndItsEnd() throws IOException {
        Path chats = folder.resolve("chats.jsonl");
        Files.writeString(
                chats,
                "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
                        + "{\"role\":\"assistant\",\"content\":\"hello\"}]}\n\n"
                        + "{\"messages\":[{\"role\":\"assistant\",\"content\":\"hello\"}]}\n");
        int answerTokens = json(run("{\"text\":\"hello\"}\n", "tokenize", model))
                .get("ids")
                .size();
        JsonNode report = json(run("", "perplexity", model, "--chats", chats.toString(), "--json"));

        assertThat(report.get("tokens").intValue()).isEqualTo(2 * (answerTokens + 1));
        assertThat(report.get("perplexity").doubleValue()).isBetween(10.0, 30000.0);
    }

    @Test
    void perplexitySaysWhichConversationIsNone() throws IOException {
        Path chats = folder.resolve("broken.jsonl");
        Files.writeString(chats, "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n");
        assertThat(run("", "perplexity", model, "--chats", chats.toString()).err())
                .contains("conversation 1 does not end with a message of the assistant");

        Files.writeString(chats, "\n{\"messages\":3}\n");
        assertThat(run("", "perplexity", model, "--chats", chats.toString()).err())
                .contains("broken.jsonl, line 2: messages must be an array");
        assertThat(run("", "perplexity", model).exitCode()).isEqualTo(2);
    }

    @Test
    void runStreamsAnAnswerThatItsSeedFixes() {
        String[] args = {
            "run", model, "-p", "hi", "--max-tokens", "8", "--temperature", "1", "--seed", "7", NO_EOS, "--json"
        };
        JsonNode first = json(run("", args));

        assertThat(first.get("ids")).isEqualTo(json(run("", args)).get("ids"));
        assertThat(first.at("/usage/generatedTokens").intValue()).isEqualTo(8);
        assertThat(first.get("finishReason").stringValue()).isEqualTo("length");
        assertThat(run("hi", "run", model, "--max-tokens", "8", "--temperature", "1", "--seed", "7", NO_EOS)
                        .out())
                .isEqualTo(first.get("text").stringValue() + "\n");
    }

    @Test
    void chatAnswersOnceWhereInputIsNoTerminal() {
        CommandRun run = run("hello\n", "chat", model, "--max-tokens", "4", NO_EOS);

        assertThat(run.exitCode()).isZero();
        assertThat(run.out()).endsWith("\n").hasSizeGreaterThan(1);
        assertThat(run.err()).isEmpty();
    }

    @Test
    void benchMeasuresEveryBatchSize() {
        JsonNode report = json(run(
                "",
                "bench",
                "--random",
                "micro:q4_0",
                "--layers",
                "1",
                "--prompt",
                "8",
                "--generate",
                "2",
                "--batch",
                "1,2",
                "--threads",
                "1",
                "--lora",
                "rank:2",
                "--json"));

        assertThat(report.get("runs").size()).isEqualTo(4);
        for (int i = 0; i < 4; i++) {
            JsonNode each = report.at("/runs/" + i);
            assertThat(each.get("batch").intValue()).isEqualTo(1 + i / 2);
            assertThat(each.get("adapter").booleanValue()).isEqualTo(i % 2 == 1);
            assertThat(each.get("decodeTokensPerSecond").doubleValue()).isPositive();
        }
        assertThat(report.at("/memoryBytesPerSecond").doubleValue()).isPositive();
        // One of two layers: half the prefill, and less than the output matrix allows for decode.
        double prefill = report.at("/runs/0/prefillTokensPerSecond").doubleValue();
        double decode = report.at("/runs/0/decodeTokensPerSecond").doubleValue();
        assertThat(report.at("/runs/0/prefillTokensPerSecondOfAllLayers").doubleValue())
                .isCloseTo(prefill / 2, within(1e-6 * prefill));
        assertThat(report.at("/runs/0/decodeTokensPerSecondOfAllLayers").doubleValue())
                .isBetween(decode / 2, decode);
    }

    @ParameterizedTest
    @ValueSource(strings = {"chat", "inspect", "tokenize", "template", "logits", "bench"})
    void withoutTheEmbeddedModelAndAnother(String command) {
        CommandRun run = run("", command);

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .startsWith("mixtral: the embedded model is missing")
                .hasLineCount(1);
    }

    @Test
    void aMissingModelIsOneLineWithoutAStackTrace() {
        CommandRun run = run("", "inspect", "no/such/model.gguf");

        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err())
                .startsWith("mixtral: there is no model no/such/model.gguf")
                .hasLineCount(1);
        assertThat(run("", "inspect", "no/such/model.gguf", "--debug").err()).contains("at dev.mixtral.cli");
    }

    @Test
    void impossibleOptionValuesAreWrongUsage() {
        assertThat(run("", "run", model, "-p", "x", "--temperature", "-1").exitCode())
                .isEqualTo(2);
        assertThat(run("", "run", model, "-p", "x", "-f", "y").exitCode()).isEqualTo(2);
        assertThat(run("", "run", model, "-p", "x", "--threads", "0").exitCode())
                .isEqualTo(2);
        assertThat(run("", "bench", "--random", "9x9b:q4_0").exitCode()).isEqualTo(2);
        assertThat(run("", "bench", model, "--layers", "2").exitCode()).isEqualTo(2);
        assertThat(run("", "bench", "--random", "micro:q4_0", "--lora", "rank:0")
                        .exitCode())
                .isEqualTo(2);
        assertThat(run("", "template", model, "--version", "v9").exitCode()).isEqualTo(2);
    }
}

package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.lora.GgufLora;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraConfig;
import dev.mixtral.lora.LoraWeights;
import dev.mixtral.lora.PeftFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `--lora` and `mixtral merge` from the command line.
class AdapterCommandsTest {
    @TempDir
    private static Path folder;

    private static String model = "";
    private static String adapter = "";

    @BeforeAll
    static void makeModelAndAdapter() {
        Path file = folder.resolve("micro.gguf");
        try (RandomCheckpoint checkpoint = new RandomCheckpoint(RandomSpec.parse("micro:f32", 0), true)) {
            RandomGguf.write(checkpoint, file);
        }
        model = file.toString();
        try (Checkpoint checkpoint = Checkpoints.open(file)) {
            PeftFolder.write(random(checkpoint.config()), folder.resolve("adapter"));
            GgufLora.write(random(checkpoint.config()), checkpoint.config(), folder.resolve("adapter.gguf"));
        }
        adapter = folder.resolve("adapter").toString();
    }

    private static LoraAdapter random(MixtralConfig config) {
        Random random = new Random(4);
        float[] a = new float[2 * config.dim()];
        float[] b = new float[config.queryDim() * 2];
        for (int i = 0; i < a.length; i++) {
            a[i] = (float) random.nextGaussian();
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) random.nextGaussian();
        }
        LoraWeights weights = new LoraWeights(2, config.dim(), config.queryDim(), a, b);
        return new LoraAdapter(
                new LoraConfig(2, 2, 0, false, false, List.of("q_proj"), "micro"),
                Map.of("model.layers.0.self_attn.q_proj", weights, "model.layers.1.self_attn.q_proj", weights));
    }

    private static String run(String model, String... options) {
        String[] args = {
            "run", model, "--raw", "-p", "abc", "--json", "--temperature", "0", "--max-tokens", "12", "--exact"
        };
        String[] all = Arrays.copyOf(args, args.length + options.length);
        System.arraycopy(options, 0, all, args.length, options.length);
        CommandRun run = CommandRun.of(all);
        assertThat(run.exitCode()).as(run.err()).isZero();
        return JsonLines.MAPPER.readTree(run.out()).path("ids").toString();
    }

    @Test
    void anAdapterAnswersAsTheModelItIsMergedInto() {
        String out = folder.resolve("merged.gguf").toString();
        CommandRun merged = CommandRun.of("merge", model, adapter, out);
        assertThat(merged.exitCode()).as(merged.err()).isZero();
        assertThat(merged.err()).contains("merged into " + out);
        String expected = run(out);
        assertThat(expected).startsWith("[").isNotEqualTo(run(model));
        assertThat(run(model, "--lora", adapter)).isEqualTo(expected);
        assertThat(run(model, "--lora", "name=" + folder.resolve("adapter.gguf")))
                .isEqualTo(expected);
    }

    @Test
    void perplexityWithAnAdapterIsThatOfTheMergedModel() throws IOException {
        String out = folder.resolve("merged-too.gguf").toString();
        assertThat(CommandRun.of("merge", model, adapter, out).exitCode()).isZero();
        String text = Files.writeString(folder.resolve("text.txt"), "A quick brown fox.")
                .toString();
        double merged = perplexity(out, "-f", text);
        assertThat(perplexity(model, "-f", text, "--lora", "name=" + adapter)).isCloseTo(merged, within(1e-4 * merged));
        assertThat(perplexity(model, "-f", text)).isNotCloseTo(merged, within(1e-2 * merged));
        String chats = Files.writeString(
                        folder.resolve("chats.jsonl"),
                        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"fox\"}]}\n")
                .toString();
        assertThat(perplexity(model, "--chats", chats, "--lora", adapter))
                .isCloseTo(perplexity(out, "--chats", chats), within(1e-4 * merged));
    }

    private static double perplexity(String model, String... options) {
        List<String> args = new ArrayList<>(List.of("perplexity", model, "--exact", "--json"));
        args.addAll(List.of(options));
        CommandRun run = CommandRun.of(args.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        return JsonLines.MAPPER.readTree(run.out()).path("perplexity").doubleValue();
    }

    @Test
    void aBatchIsAnsweredByTheAdaptersThatItsRequestsName() throws IOException {
        String plain = batch("plain").getFirst();
        assertThat(batch("named", "--lora", "tickets=" + adapter)).satisfies(texts -> {
            assertThat(texts.get(0)).isEqualTo(plain);
            assertThat(texts.get(1)).isEqualTo(texts.get(2)).isNotEqualTo(plain);
            assertThat(texts.get(3)).isEqualTo(plain);
        });
        // Without a name it answers what names neither the model nor another adapter.
        assertThat(batch("unnamed", "--lora", adapter)).satisfies(texts -> {
            assertThat(texts.get(0)).isEqualTo(texts.get(1)).isNotEqualTo(plain);
            assertThat(texts.get(3)).isEqualTo(plain);
        });
        CommandRun twice = CommandRun.of(
                "batch", folder.resolve("in.jsonl").toString(), "x", model, "--lora", adapter, "--lora", adapter);
        assertThat(twice.exitCode()).isEqualTo(2);
        String nowhere = folder.resolve("nowhere").toString();
        CommandRun missing =
                CommandRun.of("batch", folder.resolve("in.jsonl").toString(), "x", model, "--lora", "a=" + nowhere);
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.err()).contains("no adapter at " + nowhere);
    }

    /// Answers one prompt for each of several models.
    private static List<String> batch(String name, String... options) throws IOException {
        StringBuilder requests = new StringBuilder();
        for (String asked : List.of("anything", "tickets", "micro.gguf:tickets", "micro.gguf")) {
            requests.append("{\"custom_id\":\"")
                    .append(asked)
                    .append("\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"model\":\"")
                    .append(asked)
                    .append("\",\"prompt\":\"abc\",\"temperature\":0,\"max_tokens\":12}}\n");
        }
        Path input = Files.writeString(folder.resolve("in.jsonl"), requests);
        Path output = folder.resolve(name + ".jsonl");
        List<String> args = new ArrayList<>(List.of("batch", input.toString(), output.toString(), model, "--exact"));
        args.addAll(List.of(options));
        CommandRun run = CommandRun.of(args.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        return Files.readAllLines(output).stream()
                .map(line -> JsonLines.MAPPER
                        .readTree(line)
                        .at("/response/body/choices/0/text")
                        .asString())
                .toList();
    }

    @Test
    void whatIsMergedMayBeQuantisedAndPacked() throws IOException {
        Path quantized = folder.resolve("q8.gguf");
        assertThat(CommandRun.of("merge", model, adapter, quantized.toString(), "--type", "q8_0")
                        .exitCode())
                .isZero();
        Path packed = folder.resolve("packed.gguf");
        CommandRun run = CommandRun.of("merge", quantized.toString(), adapter, packed.toString(), "--pack");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(CommandRun.of("inspect", packed.toString()).exitCode()).isZero();
        try (var files = Files.list(folder)) {
            assertThat(files.filter(file -> file.getFileName().toString().startsWith(".")))
                    .isEmpty();
        }
    }

    @Test
    void anAdapterIsInspected() {
        CommandRun peft = CommandRun.of("inspect", adapter, "--tensors");
        assertThat(peft.exitCode()).as(peft.err()).isZero();
        assertThat(peft.out())
                .contains("LoRA of rank 2, alpha 2.0, scaling 1.0", "2 matrices: q_proj")
                .contains("model.layers.1.self_attn.q_proj  A [2, 256], B [256, 2]");
        CommandRun gguf =
                CommandRun.of("inspect", folder.resolve("adapter.gguf").toString(), "--json");
        assertThat(JsonLines.MAPPER
                        .readTree(gguf.out())
                        .at("/matrices/blk.0.attn_q.weight.lora_a")
                        .asString())
                .isEqualTo("F32 [2, 256]");
    }

    @Test
    void adaptersAreConvertedThereAndBack() {
        String gguf = folder.resolve("converted.gguf").toString();
        String peft = folder.resolve("converted").toString();
        assertThat(CommandRun.of("convert-adapter", model, adapter, gguf).exitCode())
                .isZero();
        assertThat(CommandRun.of("convert-adapter", model, gguf, peft).exitCode())
                .isZero();
        assertThat(run(model, "--lora", peft)).isEqualTo(run(model, "--lora", adapter));
        CommandRun again = CommandRun.of("convert-adapter", model, adapter, gguf);
        assertThat(again.exitCode()).isEqualTo(2);
        assertThat(again.err()).contains("--force");
    }

    @Test
    void mistakesAreNamed() {
        CommandRun forced =
                CommandRun.of("merge", model, adapter, folder.resolve("x").toString(), "--force");
        assertThat(forced.exitCode()).isEqualTo(2);
        assertThat(forced.err()).contains("OUT.gguf");
        CommandRun toFolder =
                CommandRun.of("merge", model, adapter, folder.resolve("x").toString());
        assertThat(toFolder.exitCode()).isEqualTo(1);
        assertThat(toFolder.err()).contains("GGUF");
        CommandRun noAdapter = CommandRun.of(
                "run", model, "-p", "x", "--lora", folder.resolve("no").toString());
        assertThat(noAdapter.exitCode()).isEqualTo(1);
        assertThat(noAdapter.err()).contains("no adapter at");
        CommandRun swapped =
                CommandRun.of("merge", model, model, folder.resolve("y.gguf").toString());
        assertThat(swapped.exitCode()).isEqualTo(1);
        assertThat(swapped.err()).contains("general.type");
    }
}

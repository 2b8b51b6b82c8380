package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `mixtral quantize` from the command line to a model that runs.
class QuantizeCommandTest {
    @TempDir
    private static Path sources;

    private static String model = "";

    @TempDir
    private Path folder = Path.of("");

    @BeforeAll
    static void makeModel() {
        Path file = sources.resolve("micro-f32.gguf");
        try (RandomCheckpoint checkpoint = new RandomCheckpoint(RandomSpec.parse("micro:f32", 0), true)) {
            RandomGguf.write(checkpoint, file);
        }
        model = file.toString();
    }

    private String output() {
        return folder.resolve("out.gguf").toString();
    }

    @Test
    void theFileRunsAndTheTableSaysWhatWasLost() {
        CommandRun made = CommandRun.of("quantize", model, output(), "--type", "q4_k_m", "--threads", "2");

        assertThat(made.exitCode()).as(made.err()).isZero();
        assertThat(made.err()).isEmpty();
        assertThat(made.out())
                .containsPattern("blk\\.1\\.ffn_gate_exps\\.weight +\\[8, 256, 256] +F32→Q4_K +.* 0\\.0[67]")
                .containsPattern("blk\\.0\\.attn_k\\.weight +\\[128, 256] +F32→Q8_0")
                .containsPattern("blk\\.0\\.ffn_gate_inp\\.weight +\\[8, 256] +F32→F32 +.* 0\\.00000")
                .contains("q4_k_m,")
                .contains("bits per weight");
        CommandRun logits = CommandRun.of(Path.of("no-such-home"), "{\"ids\":[1,300]}\n", "logits", output());
        assertThat(logits.exitCode()).as(logits.err()).isZero();
        assertThat(logits.out()).startsWith("{\"logits\":[");
    }

    @Test
    void jsonIsForPrograms() {
        CommandRun made = CommandRun.of("quantize", model, output(), "--type", "Q8_0", "--json");

        assertThat(made.exitCode()).as(made.err()).isZero();
        JsonNode report = JsonLines.MAPPER.readTree(made.out());
        assertThat(report.path("type").asString()).isEqualTo("q8_0");
        assertThat(report.path("bitsPerWeight").doubleValue()).isBetween(8.4, 9.0);
        assertThat(report.path("tensors")).hasSize(23);
        assertThat(report.at("/tensors/0/relativeError").doubleValue()).isBetween(0.0, 0.01);
    }

    @Test
    void aTextTellsWhichColumnsMatter() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "Which columns matter is told by a text.");
        CommandRun made = CommandRun.of("quantize", model, output(), "--type=iq4_nl", "--calibrate", text.toString());
        assertThat(made.exitCode()).as(made.err()).isZero();

        CommandRun inspected = CommandRun.of("inspect", output(), "--json");
        assertThat(inspected.out()).contains("quantize.imatrix.entries_count");
        CommandRun both = CommandRun.of(
                "quantize", model, output(), "--type=q4_0", "--calibrate", text.toString(), "--imatrix", "x");
        assertThat(both.exitCode()).isEqualTo(2);
    }

    @Test
    void aQuantisedSourceIsWarnedOf() {
        CommandRun.of("quantize", model, output(), "--type", "q4_0");
        CommandRun again =
                CommandRun.of("quantize", output(), folder.resolve("again.gguf").toString(), "--type=q8_0");

        assertThat(again.exitCode()).isZero();
        assertThat(again.err()).contains("is quantised already");
    }

    @Test
    void mistakesAreExplained() throws IOException {
        CommandRun type = CommandRun.of("quantize", model, output(), "--type", "q9");
        assertThat(type.exitCode()).isEqualTo(2);
        assertThat(type.err())
                .contains("--type: expected one of")
                .contains("q4_k_m")
                .contains("got q9");

        assertThat(CommandRun.of("quantize", "no-such-model", output(), "--type=q8_0")
                        .exitCode())
                .isEqualTo(1);
        assertThat(CommandRun.of("quantize", model, output(), "--type=q8_0", "--resume", "--force")
                        .exitCode())
                .isEqualTo(2);

        Files.writeString(Path.of(output()), "precious");
        CommandRun exists = CommandRun.of("quantize", model, output(), "--type=q8_0");
        assertThat(exists.exitCode()).isEqualTo(1);
        assertThat(exists.err()).contains("exists").contains("--force");
        assertThat(Path.of(output())).hasContent("precious");
    }
}

package dev.mixtral.cli;

import dev.mixtral.cli.OptionChecks.UsageException;
import dev.mixtral.engine.Calibration;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.quantize.ImportanceMatrix;
import dev.mixtral.quantize.ModelQuantizer;
import dev.mixtral.quantize.Preset;
import dev.mixtral.quantize.QuantizeOptions;
import dev.mixtral.quantize.QuantizedTensor;
import dev.mixtral.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes a smaller model: a GGUF file with weights of fewer bits.
@Command(
        name = "quantize",
        description = "Make a smaller model: a GGUF file with weights of fewer bits, which llama.cpp loads too.",
        footer = {
            "",
            "Memory holds one matrix at a time, so the model may be larger than it. Interrupting leaves OUT.partial, which "
                    + "--resume continues. Matrices whose columns the type's blocks do not divide get another type, as "
                    + "in llama.cpp; the table says which."
        })
final class QuantizeCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "MODEL", description = "GGUF file, or folder with a checkpoint.")
    private Path model = Path.of("");

    @Parameters(index = "1", paramLabel = "OUT", description = "The GGUF file to make.")
    private Path output = Path.of("");

    @Option(
            names = "--type",
            required = true,
            paramLabel = "T",
            description =
                    "q8_0, q6_k, q5_k_m, q5_k_s, q5_1, q5_0, q4_k_m, q4_k_s, q4_1, q4_0, iq4_nl, iq4_xs, q3_k_l, "
                            + "q3_k_m, q3_k_s, q2_k, f16, bf16 or f32: llama.cpp's mixes; or nl3, 3.4 bits, which it does not read.")
    private String type = "";

    @Option(
            names = "--imatrix",
            paramLabel = "FILE",
            description = "Importance of the columns, from llama.cpp's llama-imatrix (.gguf or .dat).")
    private @Nullable Path imatrix;

    @Option(
            names = "--calibrate",
            paramLabel = "TEXT",
            description = "Measure the importance of the columns on a UTF-8 text instead. Takes memory and time to run "
                    + "the model as it is.")
    private @Nullable Path calibrationText;

    @Option(names = "--threads", paramLabel = "N", description = "Threads. Default: one per processor.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--resume", description = "Continue an interrupted run, to the same bytes.")
    private boolean resume;

    @Option(names = "--force", description = "Replace OUT, or what an interrupted run has left.")
    private boolean force;

    @Option(names = "--json", description = "Write one JSON object.")
    private boolean json;

    QuantizeCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        OptionChecks.requirePositive("--threads", threads);
        OptionChecks.require(!(resume && force), "--resume and --force exclude each other");
        OptionChecks.require(
                imatrix == null || calibrationText == null, "--imatrix and --calibrate exclude each other");
        Preset preset = preset();
        try (Checkpoint checkpoint = Checkpoints.open(ModelArgument.requireExists(model))) {
            QuantizeOptions plain = new QuantizeOptions(output, preset, null, threads, force, resume);
            ModelQuantizer.checkOutput(checkpoint, plain);
            QuantizeOptions options = plain.withImportance(importance(checkpoint));
            quantize(new ModelQuantizer(checkpoint, options, new ProgressLine(terminal)::show), preset);
        }
        return 0;
    }

    private void quantize(ModelQuantizer quantizer, Preset preset) {
        if (quantizer.isQuantizedTwice()) {
            terminal.err()
                    .println("mixtral: " + model + " is quantised already; what it has lost adds to what " + preset
                            + " loses. Begin with the F16 or BF16 model where there is one.");
        }
        long start = System.nanoTime();
        List<QuantizedTensor> tensors = quantizer.run();
        QuantizeReport report = new QuantizeReport(output, preset, tensors, (System.nanoTime() - start) / 1e9);
        if (json) {
            terminal.out().println(JsonLines.MAPPER.writeValueAsString(report.toJson()));
        } else {
            report.print(terminal.out());
        }
    }

    private @Nullable ImportanceMatrix importance(Checkpoint checkpoint) throws IOException {
        if (calibrationText != null) {
            Tokenizer tokenizer = Models.tokenizer(checkpoint);
            int[] ids = tokenizer.encode(Files.readAllBytes(calibrationText));
            return Calibration.measure(checkpoint, tokenizer.bosId(), ids, calibrationText.toString(), threads);
        }
        return imatrix == null ? null : ImportanceMatrix.read(imatrix);
    }

    private Preset preset() {
        return Preset.of(type)
                .orElseThrow(() -> new UsageException("--type: expected one of "
                        + Arrays.stream(Preset.values()).map(Preset::toString).collect(Collectors.joining(", "))
                        + "; got " + type));
    }
}

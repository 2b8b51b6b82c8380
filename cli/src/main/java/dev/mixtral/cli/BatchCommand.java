package dev.mixtral.cli;

import dev.mixtral.cli.LoraOption.Given;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.server.AdapterSpec;
import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.api.LoadedModel;
import dev.mixtral.server.api.ServedModel;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.server.api.ServerApi;
import dev.mixtral.server.batch.BatchCounts;
import dev.mixtral.server.batch.BatchException;
import dev.mixtral.server.batch.BatchFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Answers a file of requests.
@Command(
        name = "batch",
        description = "Answer a file of requests, many at once: OpenAI's batch form, one JSON object a line.",
        footer = {
            "",
            "Lines of IN: {\"custom_id\": \"a\", \"method\": \"POST\", \"url\": \"/v1/chat/completions\", \"body\":"
                    + " {...}}; /v1/completions works too. Lines of OUT have the same order; a line that is no request"
                    + " becomes an error there, and stops nothing.",
            "OUT appears when every line is done. Until then the results lie in OUT.partial: however the program ends,"
                    + " the same command goes on from there.",
            "Exit code: 0 every request was answered; 1 some were not, and OUT says why, or there is no OUT; 2 wrong"
                    + " usage; 130 stopped by Ctrl-C."
        })
final class BatchCommand implements Callable<Integer> {
    private static final int DEFAULT_SEQS = EngineConfig.defaults().maxNumSeqs();

    private final Terminal terminal;

    @Parameters(index = "0", paramLabel = "IN", description = "File of requests, JSONL.")
    private Path input = Path.of("");

    @Parameters(index = "1", paramLabel = "OUT", description = "File for the answers, JSONL.")
    private Path output = Path.of("");

    @Parameters(
            index = "2",
            arity = "0..1",
            paramLabel = "MODEL",
            description = "GGUF file, or folder with a Hugging Face or Mistral checkpoint, which answers whatever model"
                    + " a request names. Default: the embedded model.")
    private @Nullable Path model;

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    @Option(
            names = {"--max-seqs", "--max-num-seqs"},
            paramLabel = "N",
            description = "Requests that are answered at once. Default: 16.")
    private int maxSeqs = DEFAULT_SEQS;

    @Option(
            names = "--lora",
            paramLabel = "[NAME=]PATH",
            description = "Adapter, a PEFT folder or GGUF adapter. With NAME, it answers requests whose model is NAME;"
                    + " without, all that name neither MODEL nor another adapter. May be given several times.")
    private List<String> adapters = new ArrayList<>();

    @Option(names = "--overwrite", description = "Replace OUT if it is there already.")
    private boolean overwrite;

    BatchCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        OptionChecks.requirePositive("--max-seqs", maxSeqs);
        Path path = model == null ? ModelArgument.embedded(terminal) : ModelArgument.requireExists(model);
        String id = String.valueOf(path.toAbsolutePath().normalize().getFileName());
        List<Given> given = adapters.stream().map(Given::parse).toList();
        check(given);
        ModelSpec spec = new ModelSpec(
                path,
                id,
                List.of(ModelSpec.ANY),
                given.stream()
                        .map(adapter -> new AdapterSpec(adapter.name(), adapter.path()))
                        .toList());
        // Input and output are looked at before gigabytes are read.
        try (BatchFile file = BatchFile.open(input, output, describe(id, given), overwrite)) {
            tellStart(file);
            return run(file, spec, given);
        } catch (BatchException e) {
            terminal.err().println("mixtral: " + e.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    private static void check(List<Given> given) {
        List<String> names = given.stream().map(Given::name).toList();
        for (Given adapter : given) {
            OptionChecks.require(
                    !adapter.name().equals(ModelSpec.ANY) && Collections.frequency(names, adapter.name()) == 1,
                    "--lora: two adapters, or none, can be called " + adapter.name());
            if (!Files.exists(adapter.path())) {
                throw new ModelNotFoundException("There is no adapter at " + adapter.path() + ".");
            }
        }
        OptionChecks.require(
                given.stream().filter(adapter -> !adapter.isNamed()).count() <= 1,
                "--lora: of several adapters only one can do without a NAME=");
    }

    /// Returns what must be the same when a batch goes on.
    private static String describe(String id, List<Given> given) {
        return id
                + given.stream()
                        .map(adapter -> (adapter.isNamed() ? " +" : " *") + adapter.name())
                        .collect(Collectors.joining());
    }

    private void tellStart(BatchFile file) {
        BatchCounts counts = file.counts();
        if (file.numBytesCut() > 0) {
            terminal.err()
                    .println("cut off an unfinished line of " + file.numBytesCut() + " bytes in "
                            + BatchFile.journalPath(output));
        }
        if (counts.done() > 0) {
            terminal.err().println("going on: " + counts.done() + " of " + counts.total() + " requests are done");
        }
    }

    private int run(BatchFile file, ModelSpec spec, List<Given> given) throws IOException, InterruptedException {
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> cancelAndWait(file, ended), "stop"));
        try {
            BatchCounts counts = file.counts();
            if (counts.done() < counts.total()) {
                BatchProgress progress = new BatchProgress(terminal);
                AtomicReference<BatchCounts> latest = new AtomicReference<>(counts);
                boolean complete = answer(file, spec, given, now -> {
                    latest.set(now);
                    progress.show(now);
                });
                progress.clear();
                counts = latest.get();
                if (!complete) {
                    terminal.err()
                            .println("stopped: " + counts.done() + " of " + counts.total() + " requests are done."
                                    + " The same command goes on from there.");
                    return CommandLine.ExitCode.SOFTWARE;
                }
                terminal.err().println(progress.summary(counts));
            }
            file.finish();
            terminal.err()
                    .println(counts.succeeded() + " of " + counts.total() + " requests answered, " + counts.failed()
                            + " failed; wrote " + output);
            return counts.failed() == 0 ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        } finally {
            ended.countDown();
        }
    }

    private boolean answer(BatchFile file, ModelSpec spec, List<Given> given, Consumer<BatchCounts> progress)
            throws IOException, InterruptedException {
        // Nobody waits in person, so nothing is too late.
        EngineConfig engine = compute.toConfig().withMaxNumSeqs(maxSeqs).withQueueTimeout(Duration.ZERO);
        ServerConfig config =
                ServerConfig.builder().models(List.of(spec)).engine(engine).build();
        try (LoadedModel loaded = LoadedModel.load(spec, engine)) {
            ServerApi api = new ServerApi(config, ServerObserver.NONE, Version.number());
            api.ready(served(loaded, given));
            return file.run(api, maxSeqs, progress);
        }
    }

    /// Of models that answer to any name, the first does.
    private static ServedModels served(LoadedModel loaded, List<Given> given) {
        List<ServedModel> models = new ArrayList<>(loaded.all().toList());
        for (int i = 0; i < given.size(); i++) {
            if (!given.get(i).isNamed()) {
                models.addFirst(loaded.adapters().get(i).withAlias(ModelSpec.ANY));
            }
        }
        return new ServedModels(models);
    }

    /// Runs while the JVM ends, which waits for it.
    private static void cancelAndWait(BatchFile file, CountDownLatch ended) {
        file.cancel();
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

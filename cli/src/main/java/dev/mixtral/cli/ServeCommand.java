package dev.mixtral.cli;

import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.LoadedModel;
import dev.mixtral.server.api.Observers;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.server.config.ConfigException;
import dev.mixtral.server.config.ConfigKeys;
import dev.mixtral.server.config.Configuration;
import dev.mixtral.server.config.Settings;
import dev.mixtral.server.http.MixtralServer;
import dev.mixtral.server.logging.LogSetup;
import dev.mixtral.server.logging.RequestLog;
import dev.mixtral.server.metrics.ServerMetrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Serves models over HTTP until the process is told to end.
@Command(
        name = "serve",
        description = "Serve models over HTTP: the chat-completion API of OpenAI, Mistral and OpenRouter.",
        footer = {
            "",
            "Prints `listening on http://HOST:PORT` on stdout when it is ready. SIGTERM and Ctrl-C end it: running"
                    + " requests are finished first.",
            "Every option can also be a variable (--max-seqs: MIXTRAL_MAX_NUM_SEQS) or a line of the YAML file that"
                    + " --config or MIXTRAL_CONFIG names; options go before variables, variables before the file."
        })
final class ServeCommand implements Callable<Integer> {
    private static final System.Logger LOG = System.getLogger("dev.mixtral.server");

    private final Terminal terminal;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "[ID=]MODEL",
            description = "Models to serve: GGUF files or checkpoints' folders. Clients call each by its ID, or by the"
                    + " file's name. Default: the embedded model.")
    private List<String> models = new ArrayList<>();

    @Option(names = "--config", paramLabel = "FILE", description = "YAML file with settings.")
    private @Nullable Path configFile;

    @Option(names = "--print-config", description = "Print all settings, say where each comes from, and end.")
    private boolean printConfig;

    ServeCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Configuration configuration = configuration();
        if (printConfig) {
            terminal.out().print(configuration.toYaml());
            return 0;
        }
        ServerConfig config;
        try {
            config = Settings.server(configuration, ModelArgument.embeddedFolder(terminal));
        } catch (ConfigException e) {
            throw new OptionChecks.UsageException(String.valueOf(e.getMessage()));
        }
        config.models().forEach(model -> ModelArgument.requireExists(model.path()));
        LogSetup.install(
                terminal.err(), configuration.get(ConfigKeys.LOG_LEVEL), configuration.get(ConfigKeys.LOG_FORMAT));
        try (ServerMetrics metrics = new ServerMetrics(Version.number())) {
            Observers observers = configuration.get(ConfigKeys.LOG_REQUESTS)
                    ? new Observers(List.of(metrics, new RequestLog(configuration.get(ConfigKeys.LOG_CONTENT))))
                    : new Observers(List.of(metrics));
            serve(config, observers);
        }
        return 0;
    }

    private Configuration configuration() {
        CommandSpec command = spec;
        if (command == null) {
            throw new IllegalStateException("picocli sets the command's description before it calls the command");
        }
        Map<String, String> flags = ServeOptions.given(command.commandLine().getParseResult());
        if (!models.isEmpty()) {
            String both = flags.put(ConfigKeys.MODELS.name(), String.join(",", models));
            OptionChecks.require(both == null, "name models either alone or with " + ConfigKeys.MODELS.flag());
        }
        try {
            return Configuration.load(flags, System.getenv(), configFile);
        } catch (ConfigException e) {
            throw new OptionChecks.UsageException(String.valueOf(e.getMessage()));
        }
    }

    private void serve(ServerConfig config, Observers observers) throws IOException, InterruptedException {
        List<LoadedModel> loaded = new ArrayList<>();
        CountDownLatch told = new CountDownLatch(1);
        CountDownLatch stopped = new CountDownLatch(1);
        // The port is taken before gigabytes are read, so that a second server fails at once.
        try (MixtralServer server = MixtralServer.start(config, observers, Version.number())) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stopAndWait(told, stopped), "stop"));
            for (ModelSpec model : config.models()) {
                LoadedModel ready = LoadedModel.load(model, config.engine());
                loaded.add(ready);
                observers.modelReady(model.id(), ready.engine());
            }
            server.ready(
                    new ServedModels(loaded.stream().flatMap(LoadedModel::all).toList()));
            String ids = String.join(
                    ", ", config.models().stream().map(ModelSpec::id).toList());
            LOG.log(System.Logger.Level.INFO, "serving {0} on {1}", ids, server.url());
            terminal.out().println("listening on " + server.url());
            terminal.out().flush();
            told.await();
            LOG.log(
                    System.Logger.Level.INFO,
                    "told to stop; running requests may end within {0} s",
                    config.shutdownGrace().toSeconds());
            boolean allEnded = server.stop(config.shutdownGrace());
            LOG.log(System.Logger.Level.INFO, allEnded ? "stopped" : "stopped; some requests were cut off");
        } finally {
            loaded.forEach(LoadedModel::close);
            stopped.countDown();
        }
    }

    /// Runs while the JVM ends, which waits for it.
    private static void stopAndWait(CountDownLatch told, CountDownLatch stopped) {
        told.countDown();
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

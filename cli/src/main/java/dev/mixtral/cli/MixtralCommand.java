package dev.mixtral.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/// The command tree. Without a subcommand it asks for one.
@Command(
        name = "mixtral",
        description = "Mixtral 8x7B inside the JVM.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "MODEL is a GGUF file, or a folder with a Hugging Face or Mistral checkpoint. Without one, the model that "
                    + "comes with the program is used."
        })
final class MixtralCommand {
    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            description = "Show the stack trace of a failure (also: MIXTRAL_DEBUG=1).")
    private boolean debug;

    private MixtralCommand() {}

    /// Runs one command line.
    ///
    /// @return the exit code: 0 success, 1 failure, 2 wrong usage
    static int run(Terminal terminal, String... args) {
        MixtralCommand root = new MixtralCommand();
        CommandLine commandLine = new CommandLine(root);
        commands(terminal).forEach(command -> addCommand(commandLine, command));
        commandLine.addSubcommand(new CommandLine.HelpCommand());
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setOut(new PrintWriter(terminal.out(), false, StandardCharsets.UTF_8));
        commandLine.setErr(new PrintWriter(terminal.err(), true, StandardCharsets.UTF_8));
        commandLine.setParameterExceptionHandler((failure, arguments) -> Failures.reportUsage(failure, terminal));
        commandLine.setExecutionStrategy(MixtralCommand::execute);
        commandLine.setExecutionExceptionHandler(
                (failure, command, parsed) -> Failures.report(failure, terminal, root.debug || terminal.debug()));
        int exitCode = commandLine.execute(args);
        commandLine.getOut().flush();
        terminal.flush();
        return exitCode;
    }

    private static List<Callable<Integer>> commands(Terminal terminal) {
        return List.of(
                new ChatCommand(terminal),
                new RunCommand(terminal),
                new ServeCommand(terminal),
                new BatchCommand(terminal),
                new InspectCommand(terminal),
                new TokenizeCommand(terminal),
                new DetokenizeCommand(terminal),
                new TemplateCommand(terminal),
                new SchemaCommand(terminal),
                new LogitsCommand(terminal),
                new PerplexityCommand(terminal),
                new QuantizeCommand(terminal),
                new PackCommand(terminal),
                new MergeCommand(terminal),
                new ConvertAdapterCommand(terminal),
                new HealthCommand(terminal),
                new BenchCommand(terminal),
                new FinetuneCommand(terminal),
                new ValidateDataCommand(terminal),
                new TrainCommand(terminal));
    }

    private static void addCommand(CommandLine root, Callable<Integer> command) {
        CommandLine subcommand = new CommandLine(command);
        subcommand
                .getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help")
                        .type(boolean.class)
                        .usageHelp(true)
                        .description("Show this help and exit.")
                        .build());
        if (command instanceof ServeCommand) {
            ServeOptions.addTo(subcommand.getCommandSpec());
        }
        if (command instanceof FinetuneCommand) {
            FinetuneOptions.addTo(subcommand.getCommandSpec());
        }
        root.addSubcommand(subcommand);
    }

    private static int execute(ParseResult parsed) {
        boolean nothingToDo =
                !parsed.hasSubcommand() && !parsed.isUsageHelpRequested() && !parsed.isVersionHelpRequested();
        if (nothingToDo) {
            throw new ParameterException(parsed.commandSpec().commandLine(), "a command is missing");
        }
        return new CommandLine.RunLast().execute(parsed);
    }
}

package dev.mixtral.cli;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.OutputConstraint;
import dev.mixtral.grammar.CompiledGrammar;
import dev.mixtral.grammar.Grammar;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/// What an answer must look like: the options of commands that generate, at most one of which may be given.
final class GrammarOptions {
    @ArgGroup
    private Form form = new Form();

    private static final class Form {
        @Option(names = "--schema", paramLabel = "FILE", description = "Hold the answer to a JSON Schema.")
        private @Nullable Path schema;

        @Option(
                names = "--choice",
                paramLabel = "TEXT",
                split = ",",
                splitSynopsisLabel = ",",
                description = "Hold the answer to one of some texts: yes,no.")
        private @Nullable List<String> choice;

        @Option(
                names = "--regex",
                paramLabel = "PATTERN",
                description = "Hold the answer to a pattern (ECMA-262), from end to end.")
        private @Nullable String regex;

        @Option(
                names = "--grammar",
                paramLabel = "FILE",
                description = "Hold the answer to a grammar: GBNF, or Lark if the file's name ends with .lark.")
        private @Nullable Path grammar;
    }

    /// Returns whether one of them is given.
    boolean isGiven() {
        return form.schema != null || form.choice != null || form.regex != null || form.grammar != null;
    }

    /// Reads what the answer must look like; empty if anything will do.
    ///
    /// @throws IOException if a file cannot be read
    /// @throws dev.mixtral.cli.OptionChecks.UsageException if a file is no JSON, or no text
    Optional<Grammar> read() throws IOException {
        if (form.schema != null) {
            return Optional.of(new Grammar.JsonSchema(OptionFiles.json("--schema", form.schema, InstanceText.MAPPER)));
        }
        if (form.choice != null) {
            return Optional.of(new Grammar.Choice(form.choice));
        }
        if (form.regex != null) {
            return Optional.of(new Grammar.Regex(form.regex));
        }
        if (form.grammar != null) {
            String text = OptionFiles.text("--grammar", form.grammar);
            boolean lark = form.grammar.toString().endsWith(".lark");
            return Optional.of(lark ? new Grammar.Lark(text) : new Grammar.Gbnf(text));
        }
        return Optional.empty();
    }

    /// Compiles a form and says what of it is not enforced.
    ///
    /// @return the constraint, or `null` if there is no form
    /// @throws dev.mixtral.error.GrammarException if the form cannot be enforced
    static @Nullable OutputConstraint constraint(Optional<Grammar> form, Engine engine, Terminal terminal) {
        if (form.isEmpty()) {
            return null;
        }
        CompiledGrammar grammar = engine.grammars().compile(form.get());
        grammar.warnings().forEach(warning -> terminal.err().println("mixtral: " + warning));
        return new OutputConstraint.Text(grammar);
    }
}

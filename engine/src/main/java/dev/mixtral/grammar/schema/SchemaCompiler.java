package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.automaton.Rule;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Compiles JSON Schemas to rules.
public final class SchemaCompiler {
    private SchemaCompiler() {}

    /// A compiled schema.
    ///
    /// @param root the rule of the values that the schema allows
    /// @param warnings what was read and is not enforced, because the specification does not ask for it
    public record Result(Rule root, List<String> warnings) {}

    /// Compiles a schema.
    ///
    /// @param anyOrder whether keys may come in any order, instead of the schema's
    /// @param pool where its expressions are made
    /// @param form the form of JSON strings over the same pool
    /// @throws GrammarException if it is no schema, or cannot be enforced exactly, or allows nothing, or is too
    ///     large
    public static Result compile(JsonNode schema, boolean anyOrder, RegexPool pool, TextForm form) {
        Translator translator = new Translator(new SchemaDocument(schema), pool, form);
        ValueRules rules = new ValueRules(translator, pool, form, anyOrder);
        Formula root = translator.root();
        boolean satisfiable;
        try {
            satisfiable = rules.prepare(root);
        } catch (GrammarException e) {
            translator.throwFindings();
            throw e.at("#", "");
        } catch (StackOverflowError e) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "#", "", "nests or counts too far to be worked out; simplify it");
        }
        translator.throwFindings();
        if (!satisfiable) {
            throw new GrammarException(
                    Reason.UNSATISFIABLE, "#", "", "no value satisfies this schema, so nothing could be generated");
        }
        return new Result(
                rules.rule(root), translator.warnings().stream().sorted().toList());
    }
}

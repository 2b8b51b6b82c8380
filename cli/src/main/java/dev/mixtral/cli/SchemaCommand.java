package dev.mixtral.cli;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.grammar.CompiledGrammar;
import dev.mixtral.grammar.Grammar;
import dev.mixtral.grammar.Grammar.KeyOrder;
import dev.mixtral.grammar.GrammarCompiler;
import dev.mixtral.grammar.GrammarMatcher;
import dev.mixtral.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Shows which instances the grammar of a schema accepts, token by token.
@Command(
        name = "schema",
        description =
                "Read {\"id\",\"schema\",\"valid\":[…],\"invalid\":[…]} lines from stdin, write whether the schema "
                        + "compiles and whether its grammar accepts each instance.",
        footer = {
            "",
            "\"text\":[…] beside or in place of the instances takes texts as they stand; a line without a schema uses "
                    + "that of an earlier line with the same id.",
            "MODEL may also be a bare tokenizer.model or tokenizer.json."
        })
final class SchemaCommand implements Callable<Integer> {
    private static final int MAX_REMEMBERED = 1_000;

    private final Terminal terminal;

    @Mixin
    private final ModelArgument model = new ModelArgument();

    @Option(
            names = "--order",
            paramLabel = "any|schema",
            description = "Whether keys may come in any order, or in that of the schema, as they are generated. "
                    + "Default: ${DEFAULT-VALUE}.")
    private KeyOrder order = KeyOrder.ANY;

    private final Map<String, JsonNode> schemas = new LinkedHashMap<>();

    SchemaCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = Models.openTokenizer(model.resolve(terminal));
        GrammarCompiler compiler = new GrammarCompiler(tokenizer);
        return JsonLines.process(terminal, InstanceText.MAPPER, line -> answer(line, compiler, tokenizer));
    }

    private ObjectNode answer(ObjectNode line, GrammarCompiler compiler, Tokenizer tokenizer) {
        ObjectNode result = JsonLines.MAPPER.createObjectNode();
        JsonNode id = line.get("id");
        if (id != null) {
            result.set("id", id);
        }
        CompiledGrammar grammar;
        try {
            grammar = compiler.compile(new Grammar.JsonSchema(schema(line, id), order));
        } catch (GrammarException e) {
            return result.put("compiled", false).put("error", e.getMessage());
        }
        result.put("compiled", true);
        for (String key : new String[] {"valid", "invalid", "text"}) {
            JsonNode instances = line.get(key);
            if (instances != null) {
                result.set(key, check(grammar, tokenizer, instances, key));
            }
        }
        return result;
    }

    private JsonNode schema(ObjectNode line, @Nullable JsonNode id) {
        JsonNode schema = line.get("schema");
        String name = String.valueOf(id);
        if (schema == null) {
            schema = schemas.get(name);
        }
        if (schema == null) {
            throw new InvalidRequestException(
                    "schema", "expected a JSON Schema under \"schema\", or the \"id\" of an earlier line with one");
        }
        schemas.put(name, schema);
        if (schemas.size() > MAX_REMEMBERED) {
            schemas.remove(schemas.keySet().iterator().next());
        }
        return schema;
    }

    private static ArrayNode check(CompiledGrammar grammar, Tokenizer tokenizer, JsonNode instances, String key) {
        if (!instances.isArray()) {
            throw new InvalidRequestException(key, "expected an array under \"" + key + "\"");
        }
        ArrayNode accepted = JsonLines.MAPPER.createArrayNode();
        for (JsonNode instance : instances) {
            boolean raw = key.equals("text");
            if (raw && !instance.isString()) {
                throw new InvalidRequestException(key, "expected strings under \"text\", got " + instance);
            }
            String text = raw ? instance.stringValue() : InstanceText.of(instance);
            accepted.add(accepts(grammar.matcher(), tokenizer, text));
        }
        return accepted;
    }

    /// Returns whether every token of the text is in its mask, and the text may end behind the last one.
    private static boolean accepts(GrammarMatcher matcher, Tokenizer tokenizer, String text) {
        for (int token : tokenizer.encode(text)) {
            if (!matcher.mask().allows(token) || !matcher.accept(token)) {
                return false;
            }
        }
        return matcher.mask().allows(tokenizer.eosId());
    }
}

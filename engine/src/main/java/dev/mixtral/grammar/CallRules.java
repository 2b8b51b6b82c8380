package dev.mixtral.grammar;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.automaton.Edge;
import dev.mixtral.grammar.automaton.OpenState;
import dev.mixtral.grammar.automaton.Rule;
import dev.mixtral.grammar.automaton.State;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.SchemaCompiler;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Builds the rules of calls: a frame of literals around arguments that follow the functions' schemas. For one use.
final class CallRules {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    /// What may stand beside empty `properties` without saying anything about arguments.
    private static final Set<String> SILENT =
            Set.of("type", "properties", "required", "$schema", "title", "description", "additionalProperties");

    private final RegexPool pool;
    private final TextForm json;

    /// @param pool where the expressions are made
    /// @param json the form of JSON strings over the same pool
    CallRules(RegexPool pool, TextForm json) {
        this.pool = pool;
        this.json = json;
    }

    /// Returns the rule of an array of calls.
    ///
    /// @throws GrammarException if a function's schema cannot be enforced; its place begins with `function 'f'`
    SchemaCompiler.Result calls(Grammar.Calls calls) {
        List<String> warnings = new ArrayList<>();
        return new SchemaCompiler.Result(new Root(beforeCalls(calls, warnings)), warnings);
    }

    /// Returns the rule of a text, or of calls.
    ///
    /// @param text the rule of the text, or `null` for any text
    SchemaCompiler.Result textOrCalls(SchemaCompiler.@Nullable Result text, Grammar.Calls calls) {
        List<String> warnings = new ArrayList<>();
        OpenState before = beforeCalls(calls, warnings);
        OpenState start = new OpenState(false);
        OpenState end = new OpenState(true);
        if (text == null) {
            Regex free = SingleLexeme.textWithout(pool, calls.trigger());
            start.add(free, end);
            // A trigger does not begin as it ends, so that its first appearance is the first one in all of the text.
            start.add(free, before);
        } else {
            warnings.addAll(text.warnings());
            start.add(new Edge.Call(text.root(), end));
            start.add(pool.epsilon(), before);
        }
        return new SchemaCompiler.Result(new Root(start), warnings);
    }

    private OpenState beforeCalls(Grammar.Calls calls, List<String> warnings) {
        List<Offer> offers = calls.functions().stream()
                .map(function -> offer(function, warnings))
                .toList();
        OpenState first = call(offers, behindCall());
        for (int i = 1; i < calls.maxCalls(); i++) {
            OpenState after = behindCall();
            after.add(literal(", "), first);
            first = call(offers, after);
        }
        OpenState start = new OpenState(false);
        // The separator that models write between the two; without a trigger it is the decoder's.
        Regex trigger = calls.trigger().isEmpty()
                ? pool.epsilon()
                : pool.concat(literal(calls.trigger()), pool.optional(literal(" ")));
        start.add(pool.concat(trigger, literal("[")), first);
        return start;
    }

    /// A function, ready to be called.
    ///
    /// @param name its name and what follows, up to the arguments
    private record Offer(Regex name, Rule arguments) {}

    private Offer offer(Grammar.Function function, List<String> warnings) {
        try {
            SchemaCompiler.Result result = SchemaCompiler.compile(ofObject(function.parameters()), false, pool, json);
            result.warnings().forEach(warning -> warnings.add(function.name() + ": " + warning));
            return new Offer(literal(function.name() + "\", \"arguments\": "), result.root());
        } catch (GrammarException e) {
            throw e.within("function '" + function.name() + "'");
        }
    }

    private OpenState behindCall() {
        OpenState point = new OpenState(false);
        point.add(literal("]"), new OpenState(true));
        return point;
    }

    private OpenState call(List<Offer> offers, OpenState after) {
        Regex id = pool.concat(List.of(literal(", \"id\": \""), nineCharacters(), literal("\"")));
        OpenState close = new OpenState(false);
        close.add(pool.concat(pool.optional(id), literal("}")), after);
        OpenState names = new OpenState(false);
        for (Offer offer : offers) {
            OpenState value = new OpenState(false);
            value.add(new Edge.Call(offer.arguments(), close));
            names.add(offer.name(), value);
        }
        OpenState start = new OpenState(false);
        start.add(literal("{\"name\": \""), names);
        return start;
    }

    private Regex nineCharacters() {
        return pool.repeat(pool.or(List.of(pool.range('0', '9'), pool.range('A', 'Z'), pool.range('a', 'z'))), 9, 9);
    }

    private Regex literal(String text) {
        return pool.literal(text);
    }

    /// Returns a schema of objects only.
    private static JsonNode ofObject(JsonNode schema) {
        if (!(schema instanceof ObjectNode given)) {
            return schema.isBoolean() && schema.booleanValue()
                    ? NODES.objectNode().put("type", "object")
                    : schema;
        }
        ObjectNode object = NODES.objectNode();
        object.setAll(given);
        JsonNode type = given.get("type");
        if (type != null && !allowsObjects(type)) {
            throw new GrammarException(
                    Reason.INVALID, "#", "type", "is " + type + ", but the arguments of a function are an object");
        }
        object.put("type", "object");
        JsonNode reference = object.remove("$ref");
        if (reference != null) {
            // Up to draft 7 the type would not count beside it.
            ObjectNode moved = NODES.objectNode();
            moved.set("$ref", reference);
            ArrayNode all = NODES.arrayNode().add(moved);
            given.path("allOf").forEach(all::add);
            object.set("allOf", all);
        }
        return meansNone(object) ? object.put("additionalProperties", false) : object;
    }

    private static boolean allowsObjects(JsonNode type) {
        if (!type.isArray()) {
            return "object".equals(type.asString(""));
        }
        for (JsonNode one : type) {
            if ("object".equals(one.asString(""))) {
                return true;
            }
        }
        return false;
    }

    /// Returns whether a schema is the usual way to say that a function has no parameters.
    private static boolean meansNone(ObjectNode schema) {
        JsonNode properties = schema.get("properties");
        boolean isEmpty = properties != null && properties.isObject() && properties.isEmpty();
        for (Map.Entry<String, JsonNode> keyword : schema.properties()) {
            isEmpty &= SILENT.contains(keyword.getKey());
        }
        return isEmpty && schema.path("required").isEmpty() && !schema.has("additionalProperties");
    }

    /// The outermost rule, which no other calls.
    ///
    /// @param start where it begins
    private record Root(State start) implements Rule {
        @Override
        public int rank() {
            return 0;
        }
    }
}

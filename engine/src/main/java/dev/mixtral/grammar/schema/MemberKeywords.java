package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.ArrayShape.Contains;
import dev.mixtral.grammar.schema.ObjectShape.Cell;
import dev.mixtral.grammar.schema.ObjectShape.Property;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// The keywords about the members of objects and arrays. Not thread-safe.
final class MemberKeywords {
    private static final int MAX_CELLS = 64;

    private final Translator translator;
    private final Formulas formulas;
    private final Algebra algebra;
    private final RegexPool pool;
    private final TextForm form;
    private final PatternCompiler patterns;

    MemberKeywords(Translator translator, RegexPool pool, TextForm form) {
        this.translator = translator;
        this.formulas = translator.formulas();
        this.algebra = translator.algebra();
        this.pool = pool;
        this.form = form;
        this.patterns = new PatternCompiler(pool, form);
    }

    /// Returns what the keywords of this class say.
    List<Formula> translate(Location location) {
        List<Formula> parts = new ArrayList<>();
        parts.add(properties(location));
        parts.add(translator.guard(location, "required", this::required));
        parts.add(translator.guard(
                location,
                "minProperties",
                value -> object(algebra.objects().any().withCount(Keywords.least(value), ObjectShape.UNBOUNDED))));
        parts.add(translator.guard(
                location,
                "maxProperties",
                value ->
                        object(algebra.objects().any().withCount(0, Keywords.greatest(value, ObjectShape.UNBOUNDED)))));
        parts.add(translator.guard(location, "propertyNames", value -> propertyNames(location, value)));
        parts.add(items(location));
        parts.add(translator.guard(
                location,
                "minItems",
                value -> array(algebra.arrays().any().withLength(Keywords.least(value), ArrayShape.UNBOUNDED))));
        parts.add(translator.guard(
                location,
                "maxItems",
                value -> array(algebra.arrays().any().withLength(0, Keywords.greatest(value, ArrayShape.UNBOUNDED)))));
        parts.add(translator.guard(location, "uniqueItems", this::uniqueItems));
        parts.add(translator.guard(location, "contains", value -> contains(location, value)));
        return parts;
    }

    private Formula object(ObjectShape shape) {
        return formulas.facets(algebra.all().withObjects(List.of(shape)));
    }

    private Formula array(ArrayShape shape) {
        return formulas.facets(algebra.all().withArrays(List.of(shape)));
    }

    private Formula required(JsonNode value) {
        ObjectShape shape = algebra.objects().any();
        for (String name : Keywords.texts(value)) {
            shape = shape.with(name, new Property(formulas.always(), true));
        }
        return object(shape);
    }

    private Formula properties(Location location) {
        JsonNode node = location.node();
        if (!node.has("properties") && !node.has("patternProperties") && !node.has("additionalProperties")) {
            return formulas.always();
        }
        Map<Regex, Formula> patternSchemas = new LinkedHashMap<>();
        translator.guard(location, "patternProperties", value -> {
            for (Map.Entry<String, JsonNode> entry : Keywords.object(value).properties()) {
                Formula schema = translator.child(location, entry.getValue(), "patternProperties", entry.getKey());
                patternSchemas.merge(patterns.search(entry.getKey()), schema, formulas::and);
            }
            return formulas.always();
        });
        Map<String, Property> named = new LinkedHashMap<>();
        translator.guard(location, "properties", value -> {
            for (Map.Entry<String, JsonNode> entry : Keywords.object(value).properties()) {
                String name = entry.getKey();
                Formula schema = translator.child(location, entry.getValue(), "properties", name);
                named.put(name, new Property(formulas.and(schema, matching(patternSchemas, name)), false));
            }
            return formulas.always();
        });
        Formula[] additional = {formulas.always()};
        translator.guard(location, "additionalProperties", value -> {
            additional[0] = translator.child(location, value, "additionalProperties");
            return formulas.always();
        });
        List<Cell> cells = cells(location, patternSchemas, additional[0]);
        return object(new ObjectShape(named, cells, 0, ObjectShape.UNBOUNDED, Set.of()));
    }

    private Formula matching(Map<Regex, Formula> patternSchemas, String name) {
        List<Formula> schemas = new ArrayList<>();
        byte[] spelled = algebra.objects().spellWithEnd(name);
        patternSchemas.forEach((pattern, schema) -> {
            if (pool.matches(pattern, spelled)) {
                schemas.add(schema);
            }
        });
        return formulas.and(schemas);
    }

    /// Splits all keys by the patterns they match.
    private List<Cell> cells(Location location, Map<Regex, Formula> patternSchemas, Formula additional) {
        List<Cell> matched = new ArrayList<>();
        Regex unmatched = form.anyText();
        for (Map.Entry<Regex, Formula> entry : patternSchemas.entrySet()) {
            matched = algebra.objects().split(matched, entry.getKey(), entry.getValue());
            Regex fresh = pool.and(unmatched, entry.getKey());
            if (!pool.isEmpty(fresh)) {
                matched.add(new Cell(fresh, entry.getValue()));
            }
            unmatched = pool.minus(unmatched, entry.getKey());
            if (matched.size() > MAX_CELLS) {
                throw new GrammarException(
                        Reason.TOO_LARGE,
                        location.pointer(),
                        "patternProperties",
                        "splits keys into more than " + MAX_CELLS + " sets");
            }
        }
        if (!pool.isEmpty(unmatched)) {
            matched.add(new Cell(unmatched, additional));
        }
        return matched.stream().filter(cell -> !cell.value().isFalse()).toList();
    }

    /// Returns the key sets of a schema's `patternProperties`.
    List<Regex> patterns(Location location) {
        List<Regex> sets = new ArrayList<>();
        location.node().path("patternProperties").propertyNames().forEach(name -> sets.add(patterns.search(name)));
        return sets;
    }

    /// Returns cells that hold keys outside of some sets to a schema.
    List<Cell> unseen(List<Regex> seen, Formula schema) {
        Regex known = pool.or(seen);
        List<Cell> cells = new ArrayList<>();
        if (!pool.isEmpty(known)) {
            cells.add(new Cell(known, formulas.always()));
        }
        Regex unknown = pool.minus(form.anyText(), known);
        if (!pool.isEmpty(unknown) && !schema.isFalse()) {
            cells.add(new Cell(unknown, schema));
        }
        return List.copyOf(cells);
    }

    private Formula propertyNames(Location location, JsonNode value) {
        Facets names = algebra.facets(translator.child(location, value, "propertyNames"));
        if (names.possible().isNothing()) {
            return object(algebra.objects().any().withCount(0, 0));
        }
        if (names.strings() == form.anyText()) {
            return formulas.always();
        }
        ObjectShape shape = algebra.objects().any().withCells(List.of(new Cell(names.strings(), formulas.always())));
        // Names of a format leave rare ones out, so what does not have such names is not known.
        return formulas.facets(algebra.all().withObjects(List.of(shape), names.hasExactStrings()));
    }

    private Formula items(Location location) {
        JsonNode node = location.node();
        List<Formula> prefix = new ArrayList<>();
        Formula[] rest = {formulas.always()};
        JsonNode items = node.path("items");
        boolean tuple = items.isArray();
        translator.guard(location, "prefixItems", value -> addItems(location, value, "prefixItems", prefix));
        translator.guard(location, "items", value -> {
            if (tuple) {
                return addItems(location, value, "items", prefix);
            }
            rest[0] = translator.child(location, value, "items");
            return formulas.always();
        });
        if (tuple) {
            translator.guard(location, "additionalItems", value -> {
                rest[0] = translator.child(location, value, "additionalItems");
                return formulas.always();
            });
        }
        ArrayShape any = algebra.arrays().any();
        return array(new ArrayShape(List.copyOf(prefix), rest[0], 0, any.max(), List.of(), false));
    }

    private Formula addItems(Location location, JsonNode value, String keyword, List<Formula> prefix) {
        if (!value.isArray()) {
            throw Keywords.wrongType("an array of schemas", value);
        }
        for (int i = 0; i < value.size(); i++) {
            prefix.add(translator.child(location, value.get(i), keyword, String.valueOf(i)));
        }
        return formulas.always();
    }

    private Formula uniqueItems(JsonNode value) {
        ArrayShape any = algebra.arrays().any();
        return Keywords.flag(value)
                ? array(new ArrayShape(any.prefix(), any.rest(), any.min(), any.max(), any.contains(), true))
                : formulas.always();
    }

    private Formula contains(Location location, JsonNode value) {
        JsonNode node = location.node();
        boolean counts = translator.document().draft().has("minContains");
        int min = counts && node.has("minContains") ? Keywords.least(node.get("minContains")) : 1;
        int max = counts && node.has("maxContains")
                ? Keywords.greatest(node.get("maxContains"), ArrayShape.UNBOUNDED)
                : ArrayShape.UNBOUNDED;
        if (min > max) {
            return formulas.facets(algebra.all().withArrays(List.of()));
        }
        Formula item = translator.child(location, value, "contains");
        if (min == 0 && max == ArrayShape.UNBOUNDED) {
            return formulas.always();
        }
        return array(algebra.arrays().any().withContains(new Contains(item, 0, min, max)));
    }
}

package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.Facets.Numbers;
import dev.mixtral.grammar.schema.ObjectShape.Property;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// The keywords about types, given values, numbers and strings. Not thread-safe.
final class ScalarKeywords {
    private final RegexPool pool;
    private final TextForm form;
    private final Formulas formulas;
    private final Algebra algebra;
    private final NumberSets numbers;
    private final PatternCompiler patterns;
    private final Formats formats;

    ScalarKeywords(RegexPool pool, TextForm form, Formulas formulas, Algebra algebra) {
        this.pool = pool;
        this.form = form;
        this.formulas = formulas;
        this.algebra = algebra;
        this.numbers = algebra.numbers();
        this.patterns = new PatternCompiler(pool, form);
        this.formats = new Formats(pool, form);
    }

    /// Returns what the keywords of this class say.
    Formula translate(Translator translator, Location location) {
        List<Formula> parts = new ArrayList<>();
        parts.add(translator.guard(location, "type", this::type));
        parts.add(translator.guard(location, "const", value -> formulas.facets(constant(value))));
        parts.add(translator.guard(location, "enum", this::enumeration));
        parts.add(translator.guard(location, "minimum", value -> bound(location, value, true)));
        parts.add(translator.guard(location, "maximum", value -> bound(location, value, false)));
        parts.add(translator.guard(location, "exclusiveMinimum", value -> exclusive(value, true)));
        parts.add(translator.guard(location, "exclusiveMaximum", value -> exclusive(value, false)));
        parts.add(translator.guard(location, "multipleOf", this::multipleOf));
        parts.add(length(translator, location));
        parts.add(translator.guard(location, "pattern", value -> strings(patterns.search(Keywords.text(value)))));
        parts.add(translator.guard(location, "format", value -> format(translator, location, value)));
        return formulas.and(parts);
    }

    private Formula type(JsonNode value) {
        if (value.isString()) {
            return formulas.facets(type(value.stringValue()));
        }
        Facets union = algebra.none();
        for (String name : Keywords.texts(Keywords.nonEmptyArray(value))) {
            union = algebra.or(union, type(name));
        }
        return formulas.facets(union);
    }

    private Facets type(String name) {
        Facets none = algebra.none();
        return switch (name) {
            case "null" -> none.withConstants(Facets.NULL);
            case "boolean" -> none.withConstants(Facets.FALSE | Facets.TRUE);
            case "number" -> none.withNumbers(numbers.all());
            case "integer" -> none.withNumbers(numbers.integers());
            case "string" -> none.withStrings(form.anyText());
            case "array" -> none.withArrays(algebra.all().arrays());
            case "object" -> none.withObjects(algebra.all().objects());
            default ->
                throw new GrammarException(
                        Reason.INVALID,
                        "",
                        "",
                        "names '" + name + "'; the types are null, boolean, integer, number, string, array, object");
        };
    }

    private Formula enumeration(JsonNode value) {
        if (!value.isArray()) {
            throw Keywords.wrongType("an array", value);
        }
        return constants(value);
    }

    /// Returns some values. Strings and numbers make a trie each, however many there are.
    Formula constants(Iterable<JsonNode> values) {
        Facets union = algebra.none();
        List<String> texts = new ArrayList<>();
        List<BigDecimal> decimals = new ArrayList<>();
        for (JsonNode element : values) {
            if (element.isString()) {
                texts.add(element.stringValue());
            } else if (element.isNumber()) {
                decimals.add(element.decimalValue());
            } else {
                union = algebra.or(union, constant(element));
            }
        }
        if (!decimals.isEmpty()) {
            union = algebra.or(union, algebra.none().withNumbers(numbers.constants(decimals)));
        }
        boolean simple = texts.stream().allMatch(text -> text.chars().allMatch(c -> c >= 0x20));
        Regex strings = simple
                ? form.literals(texts)
                : pool.or(texts.stream().map(form::anySpelling).toList());
        return formulas.facets(algebra.or(union, algebra.none().withStrings(strings)));
    }

    private Facets constant(JsonNode value) {
        Facets none = algebra.none();
        return switch (value.getNodeType()) {
            case NULL -> none.withConstants(Facets.NULL);
            case BOOLEAN -> none.withConstants(value.booleanValue() ? Facets.TRUE : Facets.FALSE);
            case NUMBER -> none.withNumbers(numbers.constants(List.of(value.decimalValue())));
            case STRING -> none.withStrings(form.anySpelling(value.stringValue()));
            case ARRAY -> {
                List<Formula> items = new ArrayList<>();
                for (JsonNode item : value) {
                    items.add(formulas.facets(constant(item)));
                }
                yield none.withArrays(
                        List.of(new ArrayShape(items, formulas.never(), items.size(), items.size(), List.of(), false)));
            }
            case OBJECT -> {
                Map<String, Property> named = new LinkedHashMap<>();
                for (Map.Entry<String, JsonNode> member : value.properties()) {
                    named.put(member.getKey(), new Property(formulas.facets(constant(member.getValue())), true));
                }
                yield none.withObjects(List.of(new ObjectShape(named, List.of(), 0, ObjectShape.UNBOUNDED, Set.of())));
            }
            case BINARY, MISSING, POJO -> throw Keywords.wrongType("a JSON value", value);
        };
    }

    private Formula numbers(Numbers set) {
        return formulas.facets(algebra.all().withNumbers(set));
    }

    private Formula bound(Location location, JsonNode value, boolean lower) {
        JsonNode exclusive = location.node().path(lower ? "exclusiveMinimum" : "exclusiveMaximum");
        boolean strict = exclusive.isBoolean() && exclusive.booleanValue();
        return numbers(numbers.range(Keywords.number(value), lower, !strict));
    }

    private Formula exclusive(JsonNode value, boolean lower) {
        if (value.isBoolean()) {
            return formulas.always(); // draft 4: read with the bound
        }
        return numbers(numbers.range(Keywords.number(value), lower, false));
    }

    private Formula multipleOf(JsonNode value) {
        BigDecimal divisor = Keywords.number(value);
        if (divisor.signum() <= 0) {
            throw new GrammarException(Reason.INVALID, "", "", "must be greater than 0, got " + value);
        }
        return numbers(numbers.multiples(divisor));
    }

    private Formula strings(Regex set) {
        if (pool.isEmpty(set)) {
            return formulas.facets(algebra.all().withStrings(pool.nothing()));
        }
        return formulas.facets(algebra.all().withStrings(set));
    }

    /// Both bounds make one repetition: their intersection would be walked through to its end.
    private Formula length(Translator translator, Location location) {
        int[] bounds = {0, -1};
        translator.guard(location, "minLength", value -> {
            bounds[0] = Keywords.least(value);
            return formulas.always();
        });
        translator.guard(location, "maxLength", value -> {
            bounds[1] = Keywords.greatest(value, -1);
            return formulas.always();
        });
        if (bounds[0] == 0 && bounds[1] < 0) {
            return formulas.always();
        }
        boolean none = bounds[1] >= 0 && bounds[0] > bounds[1];
        return strings(none ? pool.nothing() : form.length(bounds[0], bounds[1]));
    }

    private Formula format(Translator translator, Location location, JsonNode value) {
        String name = Keywords.text(value);
        if (name.equals("idn-hostname")) {
            throw new GrammarException(
                    Reason.UNSUPPORTED, "", "", "is idn-hostname, which cannot be enforced; use hostname or a pattern");
        }
        Optional<Formats.Texts> set = formats.find(name);
        if (set.isEmpty()) {
            translator.warn(location.pointer() + ": 'format' is " + name + ", which the specification does not know; "
                    + "it is not enforced");
            return formulas.always();
        }
        return formulas.facets(
                algebra.all().withStrings(set.get().written(), set.get().possible()));
    }
}

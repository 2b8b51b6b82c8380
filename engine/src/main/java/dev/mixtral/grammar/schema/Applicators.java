package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.schema.ObjectShape.Property;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// The keywords that apply other schemas to the same value. Not thread-safe.
final class Applicators {
    /// What a branch that lists values may have beside them.
    private static final Set<String> ANNOTATIONS =
            Set.of("const", "enum", "title", "description", "$comment", "default", "deprecated", "examples");

    private final Translator translator;
    private final Formulas formulas;
    private final Algebra algebra;

    Applicators(Translator translator) {
        this.translator = translator;
        this.formulas = translator.formulas();
        this.algebra = translator.algebra();
    }

    /// Returns what the keywords of this class say.
    ///
    /// @param own what the schema says by itself: branches need to differ only under it
    List<Formula> translate(Location location, Formula own) {
        List<Formula> parts = new ArrayList<>();
        Formula all = translator.guard(location, "allOf", value -> formulas.and(branches(location, "allOf", value)));
        parts.add(all);
        parts.add(translator.guard(location, "anyOf", value -> {
            List<JsonNode> listed = listed(value, Integer.MAX_VALUE);
            return listed.isEmpty()
                    ? formulas.or(branches(location, "anyOf", value))
                    : translator.scalars().constants(listed);
        }));
        parts.add(translator.guard(location, "oneOf", value -> {
            List<JsonNode> listed = listed(value, 1);
            if (!listed.isEmpty()) {
                return translator.scalars().constants(listed);
            }
            Formula context = formulas.and(own, all);
            return worked(context, formulas.or(exactlyOne(context, branches(location, "oneOf", value))));
        }));
        parts.add(translator.guard(
                location, "not", value -> worked(own, formulas.not(translator.child(location, value, "not")))));
        parts.add(translator.guard(location, "if", value -> worked(own, condition(location, value))));
        for (Map.Entry<String, Formula> dependency : dependencies(location).entrySet()) {
            parts.add(formulas.or(absent(dependency.getKey()), dependency.getValue()));
        }
        return parts;
    }

    /// Returns the scalars that branches list, if that is all they do: thousands of them need no alternatives.
    ///
    /// @param most scalars of more branches than that are left out
    /// @return empty if some branch does something else, or nothing is left
    private List<JsonNode> listed(JsonNode branches, int most) {
        Map<Object, JsonNode> values = new LinkedHashMap<>();
        Map<Object, Integer> counts = new HashMap<>();
        boolean hasConst = translator.document().draft().has("const");
        for (JsonNode branch : branches) {
            boolean isList = branch.isObject() && ANNOTATIONS.containsAll(branch.propertyNames());
            JsonNode single = hasConst ? branch.get("const") : null;
            JsonNode several = branch.get("enum");
            if (!isList || (single == null) == (several == null) || (several != null && !several.isArray())) {
                return List.of();
            }
            Set<Object> own = new HashSet<>();
            for (JsonNode value : several == null ? List.of(Objects.requireNonNull(single)) : several) {
                if (value.isContainer()) {
                    return List.of();
                }
                Object key = value.isNumber() ? value.decimalValue().stripTrailingZeros() : value;
                values.putIfAbsent(key, value);
                if (own.add(key)) {
                    counts.merge(key, 1, Integer::sum);
                }
            }
        }
        values.keySet().removeIf(key -> counts.getOrDefault(key, 0) > most);
        return List.copyOf(values.values());
    }

    /// Works a formula out at once, so that what cannot be enforced in it is noted at its keyword.
    private Formula worked(Formula context, Formula formula) {
        algebra.facets(formulas.and(context, formula));
        return formula;
    }

    /// Returns the schemas of an array of schemas.
    List<Formula> branches(Location location, String keyword, JsonNode value) {
        List<Formula> branches = new ArrayList<>();
        Keywords.nonEmptyArray(value);
        for (int i = 0; i < value.size(); i++) {
            branches.add(translator.child(location, value.get(i), keyword, String.valueOf(i)));
        }
        return branches;
    }

    /// Returns for each branch values that satisfy it and, within the context, no other one.
    List<Formula> exactlyOne(Formula context, List<Formula> branches) {
        if (areDisjoint(context, branches)) {
            return branches;
        }
        List<Formula> exact = new ArrayList<>();
        for (Formula branch : branches) {
            List<Formula> parts = new ArrayList<>();
            parts.add(branch);
            for (Formula other : branches) {
                if (other != branch && !isEmpty(formulas.and(context, branch, other))) {
                    parts.add(formulas.not(other));
                }
            }
            boolean repeated =
                    branches.stream().filter(other -> other == branch).count() > 1;
            exact.add(repeated ? formulas.never() : formulas.and(parts));
        }
        return exact;
    }

    private boolean areDisjoint(Formula context, List<Formula> branches) {
        Facets seen = algebra.none();
        for (Formula branch : branches) {
            Facets facets = algebra.facets(formulas.and(context, branch));
            if (!algebra.and(seen, facets).isEmpty()) {
                return false;
            }
            seen = algebra.or(seen, facets);
        }
        return true;
    }

    private boolean isEmpty(Formula formula) {
        return algebra.facets(formula).isEmpty();
    }

    private Formula condition(Location location, JsonNode value) {
        JsonNode node = location.node();
        Formula test = translator.child(location, value, "if");
        Formula then = node.has("then") ? translator.child(location, node.get("then"), "then") : formulas.always();
        Formula otherwise = node.has("else") ? translator.child(location, node.get("else"), "else") : formulas.always();
        if (then.isTrue() && otherwise.isTrue()) {
            return formulas.always();
        }
        return formulas.or(formulas.and(test, then), formulas.and(formulas.not(test), otherwise));
    }

    /// Returns what must hold for a value that has a key, by key.
    Map<String, Formula> dependencies(Location location) {
        Map<String, Formula> result = new LinkedHashMap<>();
        for (String keyword : List.of("dependencies", "dependentRequired", "dependentSchemas")) {
            translator.guard(location, keyword, value -> {
                for (Map.Entry<String, JsonNode> entry : Keywords.object(value).properties()) {
                    Formula then = dependency(location, keyword, entry.getKey(), entry.getValue());
                    result.merge(entry.getKey(), then, formulas::and);
                }
                return formulas.always();
            });
        }
        return result;
    }

    private Formula dependency(Location location, String keyword, String key, JsonNode value) {
        boolean names = keyword.equals("dependentRequired") || (keyword.equals("dependencies") && !isSchema(value));
        if (!names) {
            return translator.child(location, value, keyword, key);
        }
        ObjectShape shape = algebra.objects().any();
        List<String> required = value.isString() ? List.of(value.stringValue()) : Keywords.texts(value);
        for (String name : required) {
            shape = shape.with(name, new Property(formulas.always(), true));
        }
        return formulas.facets(algebra.all().withObjects(List.of(shape)));
    }

    private static boolean isSchema(JsonNode value) {
        return value.isObject() || value.isBoolean();
    }

    /// Returns the values that do not have a key; other types than objects never have one.
    Formula absent(String key) {
        return formulas.facets(algebra.all()
                .withObjects(List.of(algebra.objects().any().with(key, new Property(formulas.never(), false)))));
    }
}

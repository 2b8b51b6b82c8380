package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.schema.ObjectShape.Property;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// `unevaluatedProperties` and `unevaluatedItems`. Not thread-safe.
///
/// What counts as evaluated depends on which of the schemas in place hold. So those are multiplied out into
/// branches, in each of which it is known. A branch may leave open whether further schemas hold: then the branch
/// in which they do allows more, and the union is exact.
final class Unevaluated {
    private static final int MAX_BRANCHES = 128;
    private static final int MAX_CHOICES = 6;
    private static final int MAX_DEPTH = 32;

    /// Members that some schema has seen.
    ///
    /// @param keySets key sets besides the names
    /// @param items what an item must be like to be seen wherever it is
    private record Seen(
            Set<String> names,
            List<Regex> keySets,
            boolean allProperties,
            int prefix,
            boolean allItems,
            List<Formula> items) {
        static final Seen NOTHING = new Seen(Set.of(), List.of(), false, 0, false, List.of());

        Seen and(Seen other) {
            Set<String> bothNames = new LinkedHashSet<>(names);
            bothNames.addAll(other.names);
            return new Seen(
                    bothNames,
                    join(keySets, other.keySets),
                    allProperties || other.allProperties,
                    Math.max(prefix, other.prefix),
                    allItems || other.allItems,
                    join(items, other.items));
        }

        private static <T> List<T> join(List<T> a, List<T> b) {
            Set<T> both = new LinkedHashSet<>(a);
            both.addAll(b);
            return List.copyOf(both);
        }
    }

    private record Branch(Formula formula, Seen seen) {}

    private final Translator translator;
    private int depth;

    Unevaluated(Translator translator) {
        this.translator = translator;
    }

    private Formulas formulas() {
        return translator.formulas();
    }

    /// Returns what a schema with one of the keywords says.
    Formula translate(Location location) {
        List<Formula> branches = new ArrayList<>();
        collect(location).forEach(branch -> branches.add(branch.formula()));
        return formulas().or(branches);
    }

    private List<Branch> collect(Location location) {
        if (location.node().isBoolean()) {
            return List.of(new Branch(formulas().schema(location), Seen.NOTHING));
        }
        if (++depth > MAX_DEPTH) {
            throw new GrammarException(
                    Reason.UNSUPPORTED, "", "", "looks through a recursive '$ref', which cannot be enforced");
        }
        List<Branch> branches = List.of(new Branch(formulas().and(translator.own(location)), seenBy(location)));
        for (List<Branch> choice : choices(location)) {
            branches = product(branches, choice);
        }
        depth--;
        return branches.stream().map(branch -> close(location, branch)).toList();
    }

    /// Applies the keywords themselves.
    private Branch close(Location location, Branch branch) {
        JsonNode node = location.node();
        Formula formula = branch.formula();
        Seen seen = branch.seen();
        if (node.has("unevaluatedProperties")) {
            if (!seen.allProperties()) {
                formula = formulas().and(formula, unseenProperties(location, seen));
            }
            seen = seen.and(new Seen(Set.of(), List.of(), true, 0, false, List.of()));
        }
        if (node.has("unevaluatedItems")) {
            if (!seen.allItems()) {
                formula = formulas().and(formula, unseenItems(location, seen));
            }
            seen = seen.and(new Seen(Set.of(), List.of(), false, 0, true, List.of()));
        }
        return new Branch(formula, seen);
    }

    private Formula unseenProperties(Location location, Seen seen) {
        return translator.guard(location, "unevaluatedProperties", value -> {
            Formula schema = translator.child(location, value, "unevaluatedProperties");
            Map<String, Property> named = new LinkedHashMap<>();
            seen.names().forEach(name -> named.put(name, new Property(formulas().always(), false)));
            List<ObjectShape.Cell> cells = translator.members().unseen(seen.keySets(), schema);
            ObjectShape shape = new ObjectShape(named, cells, 0, ObjectShape.UNBOUNDED, Set.of());
            return formulas().facets(translator.algebra().all().withObjects(List.of(shape)));
        });
    }

    private Formula unseenItems(Location location, Seen seen) {
        return translator.guard(location, "unevaluatedItems", value -> {
            List<Formula> allowed = new ArrayList<>(seen.items());
            allowed.add(translator.child(location, value, "unevaluatedItems"));
            ArrayShape shape = new ArrayShape(
                    Collections.nCopies(seen.prefix(), formulas().always()),
                    formulas().or(allowed),
                    0,
                    ArrayShape.UNBOUNDED,
                    List.of(),
                    false);
            return formulas().facets(translator.algebra().all().withArrays(List.of(shape)));
        });
    }

    /// Returns the members that a schema's own keywords see.
    private Seen seenBy(Location location) {
        JsonNode node = location.node();
        Set<String> names = new LinkedHashSet<>(node.path("properties").propertyNames());
        List<Regex> keySets = translator.members().patterns(location);
        JsonNode items = node.path("items");
        int prefix = node.path("prefixItems").size() + (items.isArray() ? items.size() : 0);
        boolean allItems = items.isArray() ? node.has("additionalItems") : node.has("items");
        List<Formula> contains = node.has("contains")
                ? List.of(translator.child(location, node.get("contains"), "contains"))
                : List.of();
        boolean counts = translator.document().draft() == SchemaDocument.Draft.DRAFT_2020_12;
        return new Seen(
                names, keySets, node.has("additionalProperties"), prefix, allItems, counts ? contains : List.of());
    }

    /// Returns the choices between branches that a schema's applicators offer.
    private List<List<Branch>> choices(Location location) {
        JsonNode node = location.node();
        Applicators applicators = translator.applicators();
        List<List<Branch>> choices = new ArrayList<>();
        Formula reference = translator.reference(location);
        if (reference != null) {
            choices.add(collect(reference));
        }
        if (node.has("allOf")) {
            applicators.branches(location, "allOf", node.get("allOf")).forEach(part -> choices.add(collect(part)));
        }
        if (node.has("anyOf")) {
            choices.add(anyOf(applicators.branches(location, "anyOf", node.get("anyOf"))));
        }
        if (node.has("oneOf")) {
            choices.add(oneOf(applicators.branches(location, "oneOf", node.get("oneOf"))));
        }
        if (node.has("not")) {
            Formula not = formulas().not(translator.child(location, node.get("not"), "not"));
            choices.add(List.of(new Branch(not, Seen.NOTHING)));
        }
        if (node.has("if")) {
            choices.add(condition(location));
        }
        applicators.dependencies(location).forEach((key, then) -> {
            List<Branch> branches = new ArrayList<>(List.of(new Branch(applicators.absent(key), Seen.NOTHING)));
            Formula present = formulas().not(applicators.absent(key));
            collect(then)
                    .forEach(branch ->
                            branches.add(new Branch(formulas().and(branch.formula(), present), branch.seen())));
            choices.add(branches);
        });
        return choices;
    }

    private List<Branch> collect(Formula formula) {
        if (formula.location != null) {
            return collect(formula.location);
        }
        return List.of(new Branch(formula, Seen.NOTHING));
    }

    private List<Branch> anyOf(List<Formula> parts) {
        boolean exclusive =
                translator.applicators().exactlyOne(formulas().always(), parts).equals(parts);
        if (!exclusive && parts.size() > MAX_CHOICES) {
            throw new GrammarException(
                    Reason.UNSUPPORTED,
                    "",
                    "",
                    "looks through an 'anyOf' of more than " + MAX_CHOICES + " branches that may hold together");
        }
        List<Branch> all = new ArrayList<>();
        for (int chosen = 1; chosen < 1 << parts.size(); chosen++) {
            if (exclusive && Integer.bitCount(chosen) > 1) {
                continue;
            }
            List<Branch> together = List.of(new Branch(formulas().always(), Seen.NOTHING));
            for (int i = 0; i < parts.size(); i++) {
                if ((chosen & 1 << i) != 0) {
                    together = product(together, collect(parts.get(i)));
                }
            }
            all.addAll(together);
        }
        return all;
    }

    private List<Branch> oneOf(List<Formula> parts) {
        List<Formula> exact = translator.applicators().exactlyOne(formulas().always(), parts);
        List<Branch> all = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            Formula only = exact.get(i);
            collect(parts.get(i))
                    .forEach(branch -> all.add(new Branch(formulas().and(branch.formula(), only), branch.seen())));
        }
        return all;
    }

    private List<Branch> condition(Location location) {
        JsonNode node = location.node();
        Formula test = translator.child(location, node.get("if"), "if");
        List<Branch> holds = collect(test);
        if (node.has("then")) {
            holds = product(holds, collect(translator.child(location, node.get("then"), "then")));
        }
        List<Branch> fails = List.of(new Branch(formulas().not(test), Seen.NOTHING));
        if (node.has("else")) {
            fails = product(fails, collect(translator.child(location, node.get("else"), "else")));
        }
        List<Branch> both = new ArrayList<>(holds);
        both.addAll(fails);
        return both;
    }

    private List<Branch> product(List<Branch> a, List<Branch> b) {
        Set<Branch> both = new LinkedHashSet<>();
        for (Branch left : a) {
            for (Branch right : b) {
                both.add(new Branch(
                        formulas().and(left.formula(), right.formula()),
                        left.seen().and(right.seen())));
            }
        }
        if (both.size() > MAX_BRANCHES) {
            throw new GrammarException(
                    Reason.UNSUPPORTED, "", "", "looks through more than " + MAX_BRANCHES + " combinations of schemas");
        }
        return List.copyOf(both);
    }
}

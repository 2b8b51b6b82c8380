package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.schema.Formula.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Makes formulas, each one once. Not thread-safe.
final class Formulas {
    private static final int MAX_FORMULAS = 50_000;

    private record Key(
            Kind kind,
            List<Formula> parts,
            @Nullable Location location,
            @Nullable Facets facets) {}

    private final Map<Key, Formula> known = new HashMap<>();
    private final Formula always = intern(new Key(Kind.TRUE, List.of(), null, null));
    private final Formula never = intern(new Key(Kind.FALSE, List.of(), null, null));

    private Formula intern(Key key) {
        Formula found = known.get(key);
        if (found != null) {
            return found;
        }
        if (known.size() >= MAX_FORMULAS) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "the schema expands to more than " + MAX_FORMULAS + " parts");
        }
        Formula made = new Formula(known.size(), key.kind(), key.parts(), key.location(), key.facets());
        known.put(key, made);
        return made;
    }

    /// Returns the set of all values.
    Formula always() {
        return always;
    }

    /// Returns the empty set.
    Formula never() {
        return never;
    }

    Formula schema(Location location) {
        JsonNode node = location.node();
        if (node.isBoolean()) {
            return node.booleanValue() ? always : never;
        }
        return node.isEmpty() ? always : intern(new Key(Kind.SCHEMA, List.of(), location, null));
    }

    Formula facets(Facets facets) {
        return intern(new Key(Kind.FACETS, List.of(), null, facets));
    }

    Formula and(Formula... parts) {
        return and(List.of(parts));
    }

    Formula and(Collection<Formula> parts) {
        Set<Formula> flat = new LinkedHashSet<>();
        for (Formula part : parts) {
            if (part.kind == Kind.AND) {
                flat.addAll(part.parts);
            } else if (!part.isTrue()) {
                flat.add(part);
            }
        }
        for (Formula part : flat) {
            if (part.isFalse() || (part.kind == Kind.NOT && flat.contains(part.parts.getFirst()))) {
                return never;
            }
        }
        if (flat.size() < 2) {
            return flat.isEmpty() ? always : flat.iterator().next();
        }
        return intern(new Key(Kind.AND, List.copyOf(flat), null, null));
    }

    Formula or(Formula... parts) {
        return or(List.of(parts));
    }

    Formula or(Collection<Formula> parts) {
        Set<Formula> flat = new LinkedHashSet<>();
        for (Formula part : parts) {
            if (part.kind == Kind.OR) {
                flat.addAll(part.parts);
            } else if (!part.isFalse()) {
                flat.add(part);
            }
        }
        for (Formula part : flat) {
            if (part.isTrue() || (part.kind == Kind.NOT && flat.contains(part.parts.getFirst()))) {
                return always;
            }
        }
        if (flat.size() < 2) {
            return flat.isEmpty() ? never : flat.iterator().next();
        }
        return intern(new Key(Kind.OR, List.copyOf(flat), null, null));
    }

    Formula not(Formula part) {
        return switch (part.kind) {
            case TRUE -> never;
            case FALSE -> always;
            case NOT -> part.parts.getFirst();
            case AND -> or(negated(part.parts));
            case OR -> and(negated(part.parts));
            case SCHEMA, FACETS -> intern(new Key(Kind.NOT, List.of(part), null, null));
        };
    }

    private List<Formula> negated(List<Formula> parts) {
        List<Formula> result = new ArrayList<>();
        parts.forEach(part -> result.add(not(part)));
        return result;
    }

    /// Orders formulas by age, so that every run works in the same order.
    static Comparator<Formula> byAge() {
        return Comparator.comparingInt(formula -> formula.id);
    }
}

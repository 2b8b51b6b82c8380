package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.automaton.Edge;
import dev.mixtral.grammar.automaton.Rule;
import dev.mixtral.grammar.automaton.State;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// The rules for values: one for each formula. Guarded by the machine's lock once the parser runs.
///
/// Only formulas that have a value become rules, so that every state can reach its end.
final class ValueRules {
    private final Algebra algebra;
    private final RegexPool pool;
    private final TextForm form;
    private final Layout layout;
    private final ObjectStates objects;
    private final ArrayStates arrays;
    private final Map<Formula, Rule> rules = new HashMap<>();
    private final Map<Formula, Facets> reachable = new LinkedHashMap<>();
    private final Set<Formula> productive = new HashSet<>();

    ValueRules(Translator translator, RegexPool pool, TextForm form, boolean anyOrder) {
        this.algebra = translator.algebra();
        this.pool = pool;
        this.form = form;
        this.layout = new Layout(pool);
        this.objects = new ObjectStates(this, translator, pool, form, layout, anyOrder);
        this.arrays = new ArrayStates(this, translator, pool, layout);
    }

    private record ValueRule(State start) implements Rule {
        @Override
        public int rank() {
            return 0; // a value begins with a byte of its own, never with another value
        }
    }

    /// Works out every formula that the root leads to, and finds those that have values.
    ///
    /// @return whether the root has one
    boolean prepare(Formula root) {
        Deque<Formula> work = new ArrayDeque<>(List.of(root));
        while (!work.isEmpty()) {
            Formula formula = work.remove();
            if (reachable.containsKey(formula)) {
                continue;
            }
            try {
                Facets facets = algebra.facets(formula);
                reachable.put(formula, facets);
                facets.objects().forEach(shape -> work.addAll(objects.members(shape)));
                facets.arrays().forEach(shape -> work.addAll(arrays.members(shape)));
            } catch (GrammarException e) {
                throw e.at(formula.place(), "");
            }
        }
        findProductive();
        return productive.contains(root);
    }

    /// Grows the set of formulas with values until nothing changes.
    private void findProductive() {
        List<Formula> open = new ArrayList<>(reachable.keySet());
        // Members come behind what they belong to, so the reverse order needs few rounds.
        Collections.reverse(open);
        boolean grown = true;
        while (grown) {
            grown = open.removeIf(formula -> {
                try {
                    boolean has = hasValue(Objects.requireNonNull(reachable.get(formula)));
                    return has && productive.add(formula);
                } catch (GrammarException e) {
                    throw e.at(formula.place(), "");
                }
            });
        }
    }

    private boolean hasValue(Facets facets) {
        return facets.hasScalars()
                || facets.objects().stream().anyMatch(objects::isPossible)
                || facets.arrays().stream().anyMatch(arrays::isPossible);
    }

    /// Returns a number that changes when further formulas turn out to have values. What was impossible under an
    /// older number may be possible now; what was possible stays so.
    int age() {
        return productive.size();
    }

    boolean isProductive(Formula formula) {
        return productive.contains(formula);
    }

    Facets facets(Formula formula) {
        return algebra.facets(formula);
    }

    /// Returns the rule for the values of a productive formula.
    Rule rule(Formula formula) {
        return rules.computeIfAbsent(formula, key -> new ValueRule(new Place(false, () -> alternatives(key))));
    }

    private List<Edge> alternatives(Formula formula) {
        Facets facets = algebra.facets(formula);
        Set<Edge> edges = new LinkedHashSet<>();
        Regex scalars = scalars(facets, facets.numbers().texts());
        if (!scalars.isNothing()) {
            edges.add(new Edge.Lexeme(scalars, Place.END));
        }
        for (ObjectShape shape : facets.objects()) {
            if (objects.isPossible(shape)) {
                edges.add(new Edge.Lexeme(layout.openObject, objects.start(shape)));
            }
        }
        for (ArrayShape shape : facets.arrays()) {
            if (arrays.isPossible(shape)) {
                edges.add(new Edge.Lexeme(layout.openArray, arrays.start(shape)));
            }
        }
        return List.copyOf(edges);
    }

    /// Returns the texts of the scalars.
    ///
    /// @param numbers the texts of the numbers
    Regex scalars(Facets facets, Regex numbers) {
        List<Regex> parts = new ArrayList<>();
        String[] names = {"null", "false", "true"};
        for (int i = 0; i < names.length; i++) {
            if ((facets.constants() & 1 << i) != 0) {
                parts.add(pool.literal(names[i]));
            }
        }
        parts.add(numbers);
        parts.add(pool.concat(form.end(), facets.strings()));
        return pool.or(parts);
    }
}

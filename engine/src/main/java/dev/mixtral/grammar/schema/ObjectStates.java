package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.automaton.Edge;
import dev.mixtral.grammar.automaton.State;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The states of the parser inside objects. Guarded as its [ValueRules].
///
/// Named keys come in the order of the shape, other keys behind them; or all in any order. A key is never written
/// twice: the texts of other keys are remembered and taken out of the language of the next.
final class ObjectStates {
    /// Where the parser is in an object.
    ///
    /// @param passed the named keys that cannot come any more: written, or passed over; never changed
    /// @param count keys so far, no more than matters
    /// @param met the obligations that are met, one bit each
    /// @param used the texts of the other keys so far, quotes included
    record Progress(ObjectPlan plan, BitSet passed, int count, int met, List<String> used) {}

    /// Beyond so many states, which differ in the texts that were written, all are made anew.
    private static final int MAX_STATES = 50_000;

    private enum Phase {
        OPENED,
        AFTER_VALUE,
        AFTER_COMMA
    }

    private record Key(Progress progress, Phase phase) {}

    private record ColonKey(Formula value, Progress then) {}

    private final ValueRules rules;
    private final ObjectPlan.Context context;
    private final RegexPool pool;
    private final Layout layout;
    private final Map<ObjectShape, ObjectPlan> plans = new HashMap<>();
    private final Map<Key, State> states = new HashMap<>();
    private final Map<ColonKey, State> colons = new HashMap<>();

    ObjectStates(
            ValueRules rules, Translator translator, RegexPool pool, TextForm form, Layout layout, boolean anyOrder) {
        this.rules = rules;
        this.context = new ObjectPlan.Context(
                translator.formulas(), translator.algebra().objects(), pool, form, anyOrder);
        this.pool = pool;
        this.layout = layout;
    }

    private ObjectPlan plan(ObjectShape shape) {
        return plans.computeIfAbsent(shape, key -> new ObjectPlan(key, context, rules));
    }

    /// Returns the formulas of a shape's members.
    Set<Formula> members(ObjectShape shape) {
        Set<Formula> members = new LinkedHashSet<>();
        ObjectPlan plan = plan(shape);
        for (int i = 0; i < plan.numNamed(); i++) {
            plan.choices(plan.named(i)).forEach(choice -> members.add(choice.value()));
        }
        for (ObjectPlan.Extra extra : plan.extras()) {
            plan.choices(extra).forEach(choice -> members.add(choice.value()));
        }
        members.removeIf(Formula::isFalse);
        return members;
    }

    /// Returns whether some object has the shape.
    boolean isPossible(ObjectShape shape) {
        return plan(shape).canFinish(start(plan(shape)));
    }

    private static Progress start(ObjectPlan plan) {
        return new Progress(plan, new BitSet(), 0, 0, List.of());
    }

    /// Returns the state behind the opening bracket.
    State start(ObjectShape shape) {
        return state(start(plan(shape)), Phase.OPENED);
    }

    private State state(Progress progress, Phase phase) {
        if (states.size() > MAX_STATES) {
            states.clear(); // sequences under way keep theirs
        }
        return states.computeIfAbsent(
                new Key(progress, phase), key -> new Place(false, () -> edges(key.progress(), key.phase())));
    }

    private List<Edge> edges(Progress progress, Phase phase) {
        List<Edge> edges = new ArrayList<>();
        if (phase != Phase.AFTER_COMMA && progress.plan().mayClose(progress)) {
            edges.add(new Edge.Lexeme(phase == Phase.OPENED ? layout.emptyObject : layout.closeObject, Place.END));
        }
        List<Edge> keys = phase == Phase.AFTER_VALUE ? List.of() : keys(progress);
        if (phase == Phase.AFTER_VALUE && !keys(progress).isEmpty()) {
            edges.add(new Edge.Lexeme(layout.comma, state(progress, Phase.AFTER_COMMA)));
        }
        edges.addAll(keys);
        return edges;
    }

    private List<Edge> keys(Progress progress) {
        ObjectPlan plan = progress.plan();
        List<Edge> edges = new ArrayList<>();
        for (int i : plan.reachable(progress.passed())) {
            ObjectPlan.Named named = plan.named(i);
            for (ObjectPlan.Choice choice : plan.choices(named)) {
                Progress then = plan.afterNamed(progress, i, choice);
                if (rules.isProductive(choice.value()) && plan.canFinish(then)) {
                    Regex key = pool.concat(named.text(), layout.colon);
                    edges.add(new Edge.Lexeme(key, value(choice.value(), then)));
                }
            }
        }
        if (plan.allowsExtras(progress)) {
            addExtras(progress, edges);
        }
        return edges;
    }

    private void addExtras(Progress progress, List<Edge> edges) {
        ObjectPlan plan = progress.plan();
        for (ObjectPlan.Extra extra : plan.extras()) {
            Regex keys = unused(extra, progress);
            for (ObjectPlan.Choice choice : plan.choices(extra)) {
                Progress then = plan.afterExtra(progress, choice);
                if (!pool.isEmpty(keys) && rules.isProductive(choice.value()) && plan.canFinish(then)) {
                    edges.add(new Edge.Capture(keys, text -> colon(choice.value(), then, text)));
                }
            }
        }
    }

    private Regex unused(ObjectPlan.Extra extra, Progress progress) {
        return pool.minus(extra.text(), UsedTexts.regex(pool, progress.used()));
    }

    private State value(Formula value, Progress then) {
        return new Place(false, () -> List.of(new Edge.Call(rules.rule(value), state(then, Phase.AFTER_VALUE))));
    }

    private State colon(Formula value, Progress then, byte[] text) {
        List<String> used = new ArrayList<>(then.used());
        used.add(new String(text, java.nio.charset.StandardCharsets.UTF_8));
        Progress more = new Progress(then.plan(), then.passed(), then.count(), then.met(), List.copyOf(used));
        if (colons.size() > MAX_STATES) {
            colons.clear();
        }
        return colons.computeIfAbsent(
                new ColonKey(value, more),
                key -> new Place(false, () -> List.of(new Edge.Lexeme(layout.colon, value(value, more)))));
    }
}

package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.automaton.Edge;
import dev.mixtral.grammar.automaton.State;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The states of the parser inside arrays. Guarded as its [ValueRules].
///
/// The items of a unique array are read as one lexeme each; their texts are remembered and taken out of the
/// language of the next.
final class ArrayStates {
    /// Where the parser is in an array.
    ///
    /// @param length items so far, no more than matters
    /// @param found for each `contains`, how many items counted, no more than matters
    /// @param used the texts of the items so far, if they must differ
    record Progress(ArrayPlan plan, int length, List<Integer> found, List<String> used) {}

    /// Beyond so many states, which differ in the texts that were written, all are made anew.
    private static final int MAX_STATES = 50_000;

    private enum Phase {
        OPENED,
        AFTER_ITEM,
        AFTER_COMMA
    }

    private record Key(Progress progress, Phase phase) {}

    private final ValueRules rules;
    private final Translator translator;
    private final RegexPool pool;
    private final Layout layout;
    private final ItemTexts texts;
    private final Map<ArrayShape, ArrayPlan> plans = new HashMap<>();
    private final Map<Key, State> states = new HashMap<>();

    ArrayStates(ValueRules rules, Translator translator, RegexPool pool, Layout layout) {
        this.rules = rules;
        this.translator = translator;
        this.pool = pool;
        this.layout = layout;
        this.texts = new ItemTexts(rules, pool);
    }

    private ArrayPlan plan(ArrayShape shape) {
        return plans.computeIfAbsent(shape, key -> new ArrayPlan(key, rules, translator.formulas(), pool, texts));
    }

    /// Returns the formulas of a shape's items.
    Set<Formula> members(ArrayShape shape) {
        Set<Formula> members = new LinkedHashSet<>(plan(shape).members());
        members.removeIf(Formula::isFalse);
        return members;
    }

    /// Returns whether some array has the shape.
    boolean isPossible(ArrayShape shape) {
        ArrayPlan plan = plan(shape);
        return plan.canFinish(plan.start());
    }

    /// Returns the state behind the opening bracket.
    State start(ArrayShape shape) {
        return state(plan(shape).start(), Phase.OPENED);
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
            edges.add(new Edge.Lexeme(phase == Phase.OPENED ? layout.emptyArray : layout.closeArray, Place.END));
        }
        List<Edge> items = items(progress);
        if (phase != Phase.AFTER_ITEM) {
            edges.addAll(items);
        } else if (!items.isEmpty()) {
            edges.add(new Edge.Lexeme(layout.comma, state(progress, Phase.AFTER_COMMA)));
        }
        return edges;
    }

    private List<Edge> items(Progress progress) {
        ArrayPlan plan = progress.plan();
        List<Edge> edges = new ArrayList<>();
        for (ArrayPlan.Choice choice : plan.choices(progress)) {
            Progress then = plan.after(progress, choice);
            if (!rules.isProductive(choice.item()) || !plan.canFinish(then)) {
                continue;
            }
            if (!plan.isUnique()) {
                edges.add(new Edge.Call(rules.rule(choice.item()), state(then, Phase.AFTER_ITEM)));
                continue;
            }
            Regex unused = texts.without(choice.item(), progress.used());
            if (!pool.isEmpty(unused)) {
                edges.add(new Edge.Capture(unused, text -> state(plan.with(then, text), Phase.AFTER_ITEM)));
            }
        }
        return edges;
    }
}

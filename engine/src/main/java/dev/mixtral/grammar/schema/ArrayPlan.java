package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.schema.ArrayShape.Contains;
import dev.mixtral.grammar.schema.ArrayStates.Progress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// An array shape, arranged for writing: which items may come when, and whether an array can still be completed.
/// Guarded as its [ValueRules].
final class ArrayPlan {
    private static final int MANY = 1_000;
    /// In place of the age at which something was found impossible: it is possible.
    private static final int FOREVER = -1;
    private static final int MAX_CONTAINS = 4;

    /// A schema for an item, and the `contains` for which an item of it counts, one bit each.
    record Choice(Formula item, int counts) {}

    private record Situation(int length, List<Integer> found) {}

    private final ArrayShape shape;
    private final ValueRules rules;
    private final Formulas formulas;
    private final RegexPool pool;
    private final ItemTexts texts;
    private final boolean unique;
    /// From this length on, all places are alike.
    private final int steady;
    private final Map<Situation, Integer> finishes = new HashMap<>();
    private int capacity = -1;

    ArrayPlan(ArrayShape shape, ValueRules rules, Formulas formulas, RegexPool pool, ItemTexts texts) {
        this.shape = shape;
        this.rules = rules;
        this.formulas = formulas;
        this.pool = pool;
        this.texts = texts;
        this.unique = shape.unique() && shape.max() > 1;
        int last = Math.max(shape.prefix().size(), shape.min());
        for (Contains c : shape.contains()) {
            last = Math.max(last, c.from());
        }
        this.steady = shape.max() == ArrayShape.UNBOUNDED ? last : Integer.MAX_VALUE;
        if (shape.contains().size() > MAX_CONTAINS) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "contains", "holds more than " + MAX_CONTAINS + " times at once");
        }
        boolean mixed = !shape.prefix().isEmpty() || !shape.contains().isEmpty();
        if (unique && mixed) {
            throw new GrammarException(
                    Reason.UNSUPPORTED,
                    "",
                    "uniqueItems",
                    "stands together with 'contains' or with items of different schemas, which cannot be "
                            + "enforced");
        }
    }

    boolean isUnique() {
        return unique;
    }

    Progress start() {
        return new Progress(this, 0, Collections.nCopies(shape.contains().size(), 0), List.of());
    }

    /// Returns the formulas of all items.
    Set<Formula> members() {
        Set<Formula> members = new LinkedHashSet<>();
        int last = shape.prefix().size();
        for (Contains c : shape.contains()) {
            last = Math.max(last, c.from());
        }
        for (int place = 0; place <= Math.min(last, shape.max() - 1); place++) {
            for (Choice choice : choices(place)) {
                members.add(choice.item());
            }
        }
        return members;
    }

    List<Choice> choices(Progress progress) {
        return progress.length() >= shape.max() ? List.of() : choices(progress.length());
    }

    private List<Choice> choices(int place) {
        List<Contains> all = shape.contains();
        int counting = 0;
        for (int i = 0; i < all.size(); i++) {
            counting |= place >= all.get(i).from() ? 1 << i : 0;
        }
        List<Choice> choices = new ArrayList<>();
        for (int counts = counting; ; counts = counts - 1 & counting) {
            Formula item = shape.item(place);
            for (int i = 0; i < all.size(); i++) {
                if ((counts & 1 << i) != 0) {
                    item = formulas.and(item, all.get(i).item());
                } else if ((counting & 1 << i) != 0 && all.get(i).max() < ArrayShape.UNBOUNDED) {
                    // Where there may be too many, an item that is not counted must not count.
                    item = formulas.and(item, formulas.not(all.get(i).item()));
                }
            }
            choices.add(new Choice(item, counts));
            if (counts == 0) {
                return choices;
            }
        }
    }

    Progress after(Progress progress, Choice choice) {
        return new Progress(
                this, Math.min(progress.length() + 1, steady), count(progress.found(), choice), progress.used());
    }

    private List<Integer> count(List<Integer> found, Choice choice) {
        List<Integer> counted = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            Contains c = shape.contains().get(i);
            int limit = c.max() < ArrayShape.UNBOUNDED ? c.max() + 1 : c.min();
            counted.add(Math.min(found.get(i) + ((choice.counts() & 1 << i) != 0 ? 1 : 0), limit));
        }
        return List.copyOf(counted);
    }

    Progress with(Progress progress, byte[] text) {
        List<String> used = new ArrayList<>(progress.used());
        used.add(new String(text, StandardCharsets.UTF_8));
        return new Progress(this, progress.length(), progress.found(), List.copyOf(used));
    }

    boolean mayClose(Progress progress) {
        return progress.length() >= shape.min() && progress.length() <= shape.max() && enoughFound(progress.found());
    }

    private boolean enoughFound(List<Integer> found) {
        for (int i = 0; i < found.size(); i++) {
            if (found.get(i) < shape.contains().get(i).min()) {
                return false;
            }
        }
        return true;
    }

    /// Returns whether some way on leads to the end of an array.
    boolean canFinish(Progress progress) {
        return canFinish(new Situation(progress.length(), progress.found()));
    }

    private boolean canFinish(Situation at) {
        for (int i = 0; i < at.found().size(); i++) {
            if (at.found().get(i) > shape.contains().get(i).max()) {
                return false;
            }
        }
        if (at.length() > shape.max()) {
            return false;
        }
        if (shape.contains().isEmpty()) {
            return lengthFits(at.length());
        }
        Integer known = finishes.get(at);
        if (known == null || (known != FOREVER && known != rules.age())) {
            finishes.put(at, rules.age()); // coming back here gains nothing
            boolean closes = at.length() >= shape.min() && enoughFound(at.found());
            known = closes || someItemLeadsOn(at) ? FOREVER : rules.age();
            finishes.put(at, known);
        }
        return known == FOREVER;
    }

    private boolean someItemLeadsOn(Situation at) {
        if (at.length() >= shape.max()) {
            return false;
        }
        for (Choice choice : choices(at.length())) {
            if (rules.isProductive(choice.item())) {
                Situation then = new Situation(Math.min(at.length() + 1, steady), count(at.found(), choice));
                if (canFinish(then)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Without `contains`, the array ends in front of the first place that nothing fits.
    private boolean lengthFits(int length) {
        int end = shape.prefix().size();
        for (int place = length; place < shape.prefix().size(); place++) {
            if (!rules.isProductive(shape.prefix().get(place))) {
                end = place;
                return shape.min() <= end;
            }
        }
        boolean endless = rules.isProductive(shape.rest()) && (!unique || capacity() >= Math.min(shape.min(), MANY));
        int most = endless ? shape.max() : Math.min(shape.max(), Math.max(end, length));
        return Math.max(length, shape.min()) <= most;
    }

    private int capacity() {
        if (capacity < 0) {
            capacity = pool.count(texts.of(shape.rest()), Math.max(MANY, shape.min()));
        }
        return capacity;
    }
}

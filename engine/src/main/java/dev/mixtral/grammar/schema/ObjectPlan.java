package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.ObjectShape.Cell;
import dev.mixtral.grammar.schema.ObjectShape.Property;
import dev.mixtral.grammar.schema.ObjectStates.Progress;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// An object shape, arranged for writing: which keys may come when, and whether an object can still be completed.
/// Guarded as its [ValueRules].
final class ObjectPlan {
    /// As many texts as this count as endless.
    private static final int MANY = 1_000;
    /// In place of the age at which something was found impossible: it is possible.
    private static final int FOREVER = -1;

    /// A named key.
    ///
    /// @param text the key with its quotes
    /// @param duties the obligations that this key can meet, one bit each
    record Named(Regex text, Formula value, boolean required, int duties) {}

    /// A set of other keys.
    ///
    /// @param text the keys with their quotes, without the named ones
    record Extra(Regex text, Formula value, int duties) {}

    /// A schema for a value, and the obligations that a value of it meets.
    record Choice(Formula value, int meets) {}

    /// What the completion of an object depends on.
    private record Situation(BitSet passed, int count, int met, int numUsed) {}

    private final ObjectShape shape;
    private final ValueRules rules;
    private final Formulas formulas;
    private final RegexPool pool;
    private final boolean anyOrder;
    private final List<Named> named = new ArrayList<>();
    private final List<Extra> extras = new ArrayList<>();
    private final List<Cell> obligations;
    private final Map<Situation, Integer> finishes = new HashMap<>();
    private int extraCapacity = -1;
    private int capacityAge = -1;
    private boolean lacking;
    private int lackingAge = -1;

    /// What all plans of a schema share.
    ///
    /// @param form the form of JSON strings
    record Context(Formulas formulas, ObjectAlgebra algebra, RegexPool pool, TextForm form, boolean anyOrder) {}

    ObjectPlan(ObjectShape shape, Context context, ValueRules rules) {
        this.shape = shape;
        this.rules = rules;
        this.formulas = context.formulas();
        this.pool = context.pool();
        this.anyOrder = context.anyOrder();
        ObjectAlgebra algebra = context.algebra();
        TextForm form = context.form();
        this.obligations = splitByCells(List.copyOf(shape.obligations()));
        Regex quote = form.end();
        List<Regex> names = new ArrayList<>();
        for (Map.Entry<String, Property> entry : shape.named().entrySet()) {
            Property property = entry.getValue();
            Regex text = form.anySpelling(entry.getKey());
            names.add(text);
            if (!property.value().isFalse() || property.required()) {
                int duties = duties(keys -> pool.matches(keys, algebra.spellWithEnd(entry.getKey())));
                named.add(new Named(pool.concat(quote, text), property.value(), property.required(), duties));
            }
        }
        Regex others = pool.not(pool.or(names));
        for (Cell cell : shape.cells()) {
            addExtra(pool.and(cell.keys(), names.isEmpty() ? pool.everything() : others), cell.value(), quote);
        }
    }

    private static List<Cell> splitByCells(List<Cell> obligations) {
        if (obligations.size() > 8) {
            throw new dev.mixtral.error.GrammarException(
                    dev.mixtral.error.GrammarException.Reason.TOO_LARGE,
                    "",
                    "",
                    "negates more than 8 object schemas at once");
        }
        return obligations;
    }

    private int duties(java.util.function.Predicate<Regex> covers) {
        int duties = 0;
        for (int i = 0; i < obligations.size(); i++) {
            if (covers.test(obligations.get(i).keys())) {
                duties |= 1 << i;
            }
        }
        return duties;
    }

    /// Splits a set of keys by the obligations they can meet.
    private void addExtra(Regex keys, Formula value, Regex quote) {
        List<Regex> sets = List.of(keys);
        for (Cell obligation : obligations) {
            List<Regex> finer = new ArrayList<>();
            for (Regex set : sets) {
                finer.add(pool.and(set, obligation.keys()));
                finer.add(pool.minus(set, obligation.keys()));
            }
            sets = finer;
        }
        for (Regex set : sets) {
            if (!pool.isEmpty(set)) {
                int duties = duties(duty -> !pool.isEmpty(pool.and(set, duty)));
                extras.add(new Extra(pool.concat(quote, set), value, duties));
            }
        }
    }

    int numNamed() {
        return named.size();
    }

    Named named(int index) {
        return named.get(index);
    }

    List<Extra> extras() {
        return extras;
    }

    List<Choice> choices(Named key) {
        return choices(key.value(), key.duties());
    }

    List<Choice> choices(Extra key) {
        return choices(key.value(), key.duties());
    }

    private List<Choice> choices(Formula value, int duties) {
        List<Choice> choices = new ArrayList<>();
        // All subsets of the duties.
        for (int meets = duties; ; meets = meets - 1 & duties) {
            Formula formula = value;
            for (int i = 0; i < obligations.size(); i++) {
                if ((meets & 1 << i) != 0) {
                    formula = formulas.and(formula, obligations.get(i).value());
                }
            }
            choices.add(new Choice(formula, meets));
            if (meets == 0) {
                return choices;
            }
        }
    }

    /// Returns the named keys that may come next. In the order of the schema, no required one may be passed over.
    List<Integer> reachable(BitSet passed) {
        List<Integer> keys = new ArrayList<>();
        for (int i = passed.nextClearBit(0); i < named.size(); i = passed.nextClearBit(i + 1)) {
            keys.add(i);
            if (!anyOrder && named.get(i).required()) {
                break;
            }
        }
        return keys;
    }

    boolean allowsExtras(Progress progress) {
        return (anyOrder || numRequired(progress.passed()) == 0)
                && progress.used().size() < MANY;
    }

    private int numRequired(BitSet passed) {
        int count = 0;
        for (int i = passed.nextClearBit(0); i < named.size(); i = passed.nextClearBit(i + 1)) {
            count += named.get(i).required() ? 1 : 0;
        }
        return count;
    }

    boolean mayClose(Progress progress) {
        return numRequired(progress.passed()) == 0
                && progress.count() >= shape.min()
                && progress.count() <= shape.max()
                && progress.met() == allMet();
    }

    private int allMet() {
        return (1 << obligations.size()) - 1;
    }

    private int counted(int count) {
        return shape.max() == ObjectShape.UNBOUNDED ? Math.min(count, shape.min()) : count;
    }

    Progress afterNamed(Progress progress, int index, Choice choice) {
        int met = progress.met() | choice.meets();
        return new Progress(this, pass(progress.passed(), index), counted(progress.count() + 1), met, progress.used());
    }

    Progress afterExtra(Progress progress, Choice choice) {
        int met = progress.met() | choice.meets();
        BitSet passed = passForExtra(progress.passed());
        return new Progress(this, passed, counted(progress.count() + 1), met, progress.used());
    }

    private BitSet pass(BitSet passed, int index) {
        BitSet more = (BitSet) passed.clone();
        more.set(anyOrder ? index : 0, index + 1);
        return more;
    }

    private BitSet passForExtra(BitSet passed) {
        if (anyOrder) {
            return passed;
        }
        BitSet all = new BitSet();
        all.set(0, named.size());
        return all;
    }

    /// Returns whether some way on leads to the end of an object.
    boolean canFinish(Progress progress) {
        return canFinish(new Situation(
                progress.passed(),
                progress.count(),
                progress.met(),
                Math.min(progress.used().size(), MANY)));
    }

    private boolean canFinish(Situation at) {
        if (at.count() > shape.max()) {
            return false;
        }
        if (obligations.isEmpty() && shape.max() == ObjectShape.UNBOUNDED && at.count() >= shape.min()) {
            return !lacksRequired();
        }
        Integer known = finishes.get(at);
        if (known == null || (known != FOREVER && known != rules.age())) {
            boolean finishes = at.met() == allMet() ? countsFit(at) : someMeets(at);
            known = finishes ? FOREVER : rules.age();
            this.finishes.put(at, known);
        }
        return known == FOREVER;
    }

    /// With all obligations met only numbers matter: any number of keys from the required ones to all possible
    /// ones.
    private boolean countsFit(Situation at) {
        long least = at.count();
        long most = at.count();
        for (int i = at.passed().nextClearBit(0);
                i < named.size();
                i = at.passed().nextClearBit(i + 1)) {
            boolean possible = rules.isProductive(named.get(i).value());
            if (named.get(i).required() && !possible) {
                return false;
            }
            least += named.get(i).required() ? 1 : 0;
            most += possible ? 1 : 0;
        }
        int capacity = extraCapacity();
        most += capacity >= MANY ? Integer.MAX_VALUE : Math.max(0, capacity - at.numUsed());
        return Math.max(least, shape.min()) <= Math.min(most, shape.max());
    }

    private boolean lacksRequired() {
        if (lackingAge != rules.age()) {
            lackingAge = rules.age();
            lacking = named.stream().anyMatch(key -> key.required() && !rules.isProductive(key.value()));
        }
        return lacking;
    }

    private int extraCapacity() {
        if (extraCapacity < 0 || capacityAge != rules.age()) {
            capacityAge = rules.age();
            int capacity = 0;
            for (Extra extra : extras) {
                if (capacity < MANY && rules.isProductive(extra.value())) {
                    capacity += pool.count(extra.text(), MANY);
                }
            }
            extraCapacity = capacity;
        }
        return extraCapacity;
    }

    /// Whether there is an end does not depend on the order: named keys are tried in the order of the schema, and other
    /// keys behind them. To try all orders takes exponential time.
    private boolean someMeets(Situation at) {
        for (int i = at.passed().nextClearBit(0);
                i < named.size();
                i = at.passed().nextClearBit(i + 1)) {
            for (Choice choice : choices(named.get(i))) {
                Situation then =
                        new Situation(passTo(at, i), counted(at.count() + 1), at.met() | choice.meets(), at.numUsed());
                if (rules.isProductive(choice.value()) && canFinish(then)) {
                    return true;
                }
            }
            if (named.get(i).required()) {
                return false; // it must not be passed over
            }
        }
        return at.numUsed() < extraCapacity() && someExtraMeets(at);
    }

    /// Returns the keys that cannot come any more when a key and all in front of it are done with.
    private static BitSet passTo(Situation at, int index) {
        BitSet passed = (BitSet) at.passed().clone();
        passed.set(0, index + 1);
        return passed;
    }

    private boolean someExtraMeets(Situation at) {
        BitSet all = passTo(at, named.size() - 1);
        for (Extra extra : extras) {
            for (Choice choice : choices(extra)) {
                boolean progress = (choice.meets() & ~at.met()) != 0;
                Situation then =
                        new Situation(all, counted(at.count() + 1), at.met() | choice.meets(), at.numUsed() + 1);
                if (progress && rules.isProductive(choice.value()) && canFinish(then)) {
                    return true;
                }
            }
        }
        return false;
    }
}

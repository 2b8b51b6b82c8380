package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.ObjectShape.Property;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The items of unique arrays, each value with one text only, so that different texts are different values.
/// Guarded as its [ValueRules].
///
/// Objects and arrays among them are written without blanks, with the keys in the order of the schema and without
/// keys that the schema does not name.
final class ItemTexts {
    /// How deep items may nest; deeper values are left out.
    private static final int MAX_DEPTH = 3;

    private final ValueRules rules;
    private final RegexPool pool;
    private final TextForm form;
    private final Regex comma;
    private final Regex canonicalNumber;
    private final Map<Formula, Regex> known = new HashMap<>();

    ItemTexts(ValueRules rules, RegexPool pool) {
        this.rules = rules;
        this.pool = pool;
        this.form = TextForm.json(pool);
        this.comma = pool.literal(",");
        this.canonicalNumber = new PatternCompiler(pool, TextForm.plain(pool))
                .full("0|-?(?:[1-9][0-9]{0,19}|0(?=\\.))(?:\\.[0-9]{0,19}[1-9])?", false);
    }

    /// Returns the texts of a formula's values.
    ///
    /// @throws GrammarException if none can be told apart from the others
    Regex of(Formula item) {
        return known.computeIfAbsent(item, key -> {
            Regex texts = value(key, MAX_DEPTH);
            if (pool.isEmpty(texts)) {
                throw new GrammarException(
                        Reason.UNSUPPORTED,
                        "",
                        "uniqueItems",
                        "is about values that cannot be told apart while they are written; leave it out or use "
                                + "simpler items");
            }
            return texts;
        });
    }

    private Regex value(Formula formula, int depth) {
        if (formula.isFalse()) {
            return pool.nothing();
        }
        Facets facets = rules.facets(formula);
        List<Regex> parts = new ArrayList<>();
        parts.add(rules.scalars(facets, pool.and(facets.numbers().texts(), canonicalNumber)));
        if (depth > 0) {
            facets.arrays().forEach(shape -> parts.add(array(shape, depth - 1)));
            facets.objects().forEach(shape -> parts.add(object(shape, depth - 1)));
        }
        return pool.or(parts);
    }

    private Regex array(ArrayShape shape, int depth) {
        if (!shape.contains().isEmpty() || (shape.unique() && shape.max() > 1)) {
            return pool.nothing();
        }
        int places = Math.min(shape.prefix().size(), shape.max());
        Regex tail = pool.epsilon();
        if (shape.max() > places) {
            int most = shape.max() == ArrayShape.UNBOUNDED ? -1 : shape.max() - places;
            Regex rest = value(shape.rest(), depth);
            int least = Math.max(shape.min() - places, 0);
            tail = places > 0 ? pool.repeat(pool.concat(comma, rest), least, most) : list(rest, least, most);
        } else if (shape.min() > places) {
            return pool.nothing();
        }
        for (int i = places - 1; i >= 0; i--) {
            Regex item = value(shape.prefix().get(i), depth);
            Regex more = pool.concat(i == 0 ? item : pool.concat(comma, item), tail);
            tail = i >= shape.min() ? pool.optional(more) : more;
        }
        return pool.concat(List.of(pool.literal("["), tail, pool.literal("]")));
    }

    private Regex list(Regex item, int min, int max) {
        Regex more = pool.repeat(pool.concat(comma, item), Math.max(min - 1, 0), max < 0 ? max : max - 1);
        Regex some = pool.concat(item, more);
        return min == 0 ? pool.optional(some) : some;
    }

    private Regex object(ObjectShape shape, int depth) {
        if (!shape.obligations().isEmpty()) {
            return pool.nothing();
        }
        List<Map.Entry<String, Property>> members = List.copyOf(shape.named().entrySet());
        List<Regex> texts = new ArrayList<>();
        for (Map.Entry<String, Property> member : members) {
            Regex key = pool.concat(form.end(), form.literal(member.getKey()));
            Regex value = value(member.getValue().value(), depth);
            texts.add(pool.concat(List.of(key, pool.literal(":"), value)));
        }
        boolean[] required = new boolean[members.size()];
        for (int i = 0; i < required.length; i++) {
            required[i] = members.get(i).getValue().required();
        }
        Regex inside = new Members(texts, required, shape).from(0, 0);
        return pool.concat(List.of(pool.literal("{"), inside, pool.literal("}")));
    }

    /// Joins members, each of which may be left out unless it is required.
    private final class Members {
        private record Key(int index, int count) {}

        private final List<Regex> texts;
        private final boolean[] required;
        private final ObjectShape shape;
        private final Map<Key, Regex> known = new HashMap<>();

        Members(List<Regex> texts, boolean[] required, ObjectShape shape) {
            this.texts = texts;
            this.required = required;
            this.shape = shape;
        }

        Regex from(int index, int count) {
            if (index == texts.size()) {
                return count >= shape.min() && count <= shape.max() ? pool.epsilon() : pool.nothing();
            }
            Key key = new Key(index, count);
            Regex found = known.get(key);
            if (found == null) {
                Regex member = count == 0 ? texts.get(index) : pool.concat(comma, texts.get(index));
                found = pool.concat(member, from(index + 1, count + 1));
                if (!required[index]) {
                    found = pool.or(found, from(index + 1, count));
                }
                known.put(key, found);
            }
            return found;
        }
    }

    /// Returns the texts of a formula's values that are not used yet.
    Regex without(Formula item, List<String> used) {
        return pool.minus(of(item), UsedTexts.regex(pool, used));
    }
}

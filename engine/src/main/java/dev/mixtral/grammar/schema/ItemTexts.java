package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The items of unique arrays, each value with one text only, so that different texts are different values. Guarded as
/// its [ValueRules].
final class ItemTexts {
    private final ValueRules rules;
    private final RegexPool pool;
    private final TextForm form;
    private final Regex canonicalNumber;
    private final Map<Formula, Regex> known = new HashMap<>();

    ItemTexts(ValueRules rules, RegexPool pool, TextForm form) {
        this.rules = rules;
        this.pool = pool;
        this.form = form;
        this.canonicalNumber = new PatternCompiler(pool, TextForm.plain(pool))
                .full("0|-?(?:[1-9][0-9]{0,19}|0(?=\\.))(?:\\.[0-9]{0,19}[1-9])?", false);
    }

    /// Returns the texts of a formula's values.
    ///
    /// @throws GrammarException if they are not scalars
    Regex of(Formula item) {
        Regex found = known.get(item);
        if (found == null) {
            Facets facets = rules.facets(item);
            if (!facets.objects().isEmpty() || !facets.arrays().isEmpty()) {
                throw new GrammarException(
                        Reason.UNSUPPORTED,
                        "",
                        "uniqueItems",
                        "is about objects or arrays, which cannot be told apart while they are written; leave it out "
                                + "or allow scalars only");
            }
            found = rules.scalars(facets, pool.and(facets.numbers().texts(), canonicalNumber));
            known.put(item, found);
        }
        return found;
    }

    /// Returns the texts of a formula's values that are not used yet.
    Regex without(Formula item, List<String> used) {
        return pool.minus(of(item), UsedTexts.regex(pool, form, used));
    }
}

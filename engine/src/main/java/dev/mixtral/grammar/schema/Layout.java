package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;

/// The bytes between values: brackets, commas, colons and bounded whitespace. Immutable.
///
/// There may be one space, or one line break and up to 40 blanks, behind an opening bracket, in front of a
/// closing one and on both sides of commas and colons; none in front of the whole text or behind it. Without a
/// bound, weak models write blanks until their tokens run out.
final class Layout {
    final Regex openObject;
    final Regex closeObject;
    final Regex emptyObject;
    final Regex openArray;
    final Regex closeArray;
    final Regex emptyArray;
    final Regex comma;
    final Regex colon;

    Layout(RegexPool pool) {
        Regex gap = new PatternCompiler(pool, TextForm.plain(pool)).full("( |\\r?\\n[ \\t]{0,40})?", false);
        openObject = pool.concat(pool.literal("{"), gap);
        emptyObject = pool.literal("}");
        closeObject = pool.concat(gap, emptyObject);
        openArray = pool.concat(pool.literal("["), gap);
        emptyArray = pool.literal("]");
        closeArray = pool.concat(gap, emptyArray);
        comma = pool.concat(gap, pool.concat(pool.literal(","), gap));
        colon = pool.concat(gap, pool.concat(pool.literal(":"), gap));
    }
}

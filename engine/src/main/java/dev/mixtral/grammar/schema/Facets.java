package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Regex;
import java.util.List;

/// A set of JSON values, worked out type by type. Immutable.
///
/// @param constants which of null, false and true: bits 0, 1 and 2
/// @param numbers the numbers
/// @param strings the strings, spelled as the inside of JSON strings with the closing quote
/// @param exactStrings whether `strings` is all of the set; false if texts of a format are left out, so that the
///     complement is not known
/// @param arrays alternatives for arrays, which may overlap
/// @param objects alternatives for objects, which may overlap
record Facets(
        int constants,
        Numbers numbers,
        Regex strings,
        boolean exactStrings,
        List<ArrayShape> arrays,
        List<ObjectShape> objects) {
    static final int NULL = 1;
    static final int FALSE = 2;
    static final int TRUE = 4;

    /// Numbers, as plain decimal texts.
    ///
    /// @param values every plain text of every number of the set, whatever zeros it ends with: what sets are
    ///     compared by
    /// @param texts the texts that are written; for each value at least one
    record Numbers(Regex values, Regex texts) {}

    boolean hasScalars() {
        return constants != 0 || !numbers.texts().isNothing() || !strings.isNothing();
    }

    boolean isEmpty() {
        return !hasScalars() && arrays.isEmpty() && objects.isEmpty();
    }

    Facets withConstants(int other) {
        return new Facets(other, numbers, strings, exactStrings, arrays, objects);
    }

    Facets withNumbers(Numbers other) {
        return new Facets(constants, other, strings, exactStrings, arrays, objects);
    }

    Facets withStrings(Regex other, boolean exact) {
        return new Facets(constants, numbers, other, exact, arrays, objects);
    }

    Facets withArrays(List<ArrayShape> other) {
        return new Facets(constants, numbers, strings, exactStrings, other, objects);
    }

    Facets withObjects(List<ObjectShape> other) {
        return new Facets(constants, numbers, strings, exactStrings, arrays, other);
    }
}

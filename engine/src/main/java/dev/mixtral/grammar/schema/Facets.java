package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Regex;
import java.util.List;

/// A set of JSON values, worked out type by type. Immutable.
///
/// @param constants which of null, false and true: bits 0, 1 and 2
/// @param numbers the numbers
/// @param strings the strings that are written, spelled as the inside of JSON strings with the closing quote
/// @param possible all strings that may belong to the set, spelled likewise: more than `strings` where rare texts of
///     a format are left out. What a complement writes lies outside of them
/// @param arrays alternatives for arrays, which may overlap
/// @param objects alternatives for objects, which may overlap
/// @param exactObjects whether `objects` is all of the set; false if rare names of keys are left out, so that the
///     complement is not known
record Facets(
        int constants,
        Numbers numbers,
        Regex strings,
        Regex possible,
        List<ArrayShape> arrays,
        List<ObjectShape> objects,
        boolean exactObjects) {
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

    /// Returns whether the set has no value for sure.
    boolean isEmpty() {
        return !hasScalars() && possible.isNothing() && arrays.isEmpty() && objects.isEmpty() && exactObjects;
    }

    boolean hasExactStrings() {
        return strings == possible;
    }

    Facets withConstants(int other) {
        return new Facets(other, numbers, strings, possible, arrays, objects, exactObjects);
    }

    Facets withNumbers(Numbers other) {
        return new Facets(constants, other, strings, possible, arrays, objects, exactObjects);
    }

    Facets withStrings(Regex other) {
        return withStrings(other, other);
    }

    Facets withStrings(Regex written, Regex perhaps) {
        return new Facets(constants, numbers, written, perhaps, arrays, objects, exactObjects);
    }

    Facets withArrays(List<ArrayShape> other) {
        return new Facets(constants, numbers, strings, possible, other, objects, exactObjects);
    }

    Facets withObjects(List<ObjectShape> other) {
        return withObjects(other, true);
    }

    Facets withObjects(List<ObjectShape> other, boolean exact) {
        return new Facets(constants, numbers, strings, possible, arrays, other, exact);
    }
}

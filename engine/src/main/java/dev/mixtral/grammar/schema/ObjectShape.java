package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Regex;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A set of objects without alternatives in its keys. Immutable.
///
/// @param named keys with a schema of their own, in the order in which they are written; a key that must not be
///     there has the formula FALSE
/// @param cells what holds for other keys: disjoint sets of keys, each with the schema of its values; keys of no
///     cell must not be there
/// @param min least number of keys
/// @param max greatest number of keys
/// @param obligations what some key has to be like: for each, at least one key of the set must have such a value
record ObjectShape(Map<String, Property> named, List<Cell> cells, int min, int max, Set<Cell> obligations) {
    static final int UNBOUNDED = Integer.MAX_VALUE;

    /// The schema of a key's value, and whether the key must be there.
    record Property(Formula value, boolean required) {}

    /// A set of keys and the schema of their values.
    ///
    /// @param keys spelled as the inside of JSON strings, with the closing quote
    record Cell(Regex keys, Formula value) {}

    /// Returns a shape with one key more or with another schema for it.
    ObjectShape with(String key, Property property) {
        Map<String, Property> more = new LinkedHashMap<>(named);
        more.put(key, property);
        return new ObjectShape(more, cells, min, max, obligations);
    }

    ObjectShape withCount(int least, int most) {
        return new ObjectShape(named, cells, least, most, obligations);
    }

    ObjectShape withObligation(Cell obligation) {
        Set<Cell> more = new java.util.LinkedHashSet<>(obligations);
        more.add(obligation);
        return new ObjectShape(named, cells, min, max, more);
    }

    ObjectShape withCells(List<Cell> other) {
        return new ObjectShape(named, other, min, max, obligations);
    }
}

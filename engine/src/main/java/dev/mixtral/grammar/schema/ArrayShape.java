package dev.mixtral.grammar.schema;

import java.util.ArrayList;
import java.util.List;

/// A set of arrays without alternatives in its places. Immutable.
///
/// @param prefix the schemas of the first items, by place
/// @param rest the schema of the items behind them
/// @param min least length
/// @param max greatest length
/// @param contains items that have to be there
/// @param unique whether all items differ
record ArrayShape(List<Formula> prefix, Formula rest, int min, int max, List<Contains> contains, boolean unique) {
    static final int UNBOUNDED = Integer.MAX_VALUE;

    /// Items of which there must be some.
    ///
    /// @param item what an item must be like to count
    /// @param from the place from which items count
    /// @param min how many must count at least
    /// @param max how many may count at most
    record Contains(Formula item, int from, int min, int max) {}

    /// Returns the schema of the item at a place.
    Formula item(int place) {
        return place < prefix.size() ? prefix.get(place) : rest;
    }

    ArrayShape withLength(int least, int most) {
        return new ArrayShape(prefix, rest, least, most, contains, unique);
    }

    ArrayShape withContains(Contains more) {
        List<Contains> all = new ArrayList<>(contains);
        if (!all.contains(more)) {
            all.add(more);
        }
        return new ArrayShape(prefix, rest, min, max, all, unique);
    }
}

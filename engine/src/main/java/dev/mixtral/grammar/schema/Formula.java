package dev.mixtral.grammar.schema;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A set of JSON values, described but not worked out. Immutable; made by one [Formulas], where equal formulas
/// are one object.
final class Formula {
    enum Kind {
        TRUE,
        FALSE,
        /// A schema of the document.
        SCHEMA,
        /// Facets that are worked out.
        FACETS,
        AND,
        OR,
        NOT
    }

    final int id;
    final Kind kind;
    final List<Formula> parts;
    final @Nullable Location location;
    final @Nullable Facets facets;

    Formula(int id, Kind kind, List<Formula> parts, @Nullable Location location, @Nullable Facets facets) {
        this.id = id;
        this.kind = kind;
        this.parts = parts;
        this.location = location;
        this.facets = facets;
    }

    boolean isTrue() {
        return kind == Kind.TRUE;
    }

    boolean isFalse() {
        return kind == Kind.FALSE;
    }

    /// Returns where a schema of the formula lies in the document.
    String place() {
        if (location != null) {
            return location.pointer();
        }
        return parts.stream()
                .map(Formula::place)
                .filter(pointer -> !pointer.equals("#"))
                .findFirst()
                .orElse("#");
    }

    @Override
    public String toString() {
        return switch (kind) {
            case TRUE, FALSE -> kind.name();
            case SCHEMA -> String.valueOf(location == null ? "" : location.pointer());
            case FACETS -> "facets" + id;
            case AND, OR, NOT -> kind + "" + parts;
        };
    }
}

package dev.mixtral.grammar.schema;

import tools.jackson.databind.JsonNode;

/// A schema inside a document. Immutable.
///
/// Two locations are equal if their schemas are, and mean the same by their references; where they lie only
/// matters to messages.
///
/// @param node an object or a boolean
/// @param base the URI against which its references are resolved
/// @param pointer where it lies in the document, as a URI fragment: `#/properties/a`
record Location(JsonNode node, String base, String pointer) {
    @Override
    public boolean equals(Object other) {
        return other instanceof Location location && base.equals(location.base) && node.equals(location.node);
    }

    @Override
    public int hashCode() {
        return node.hashCode();
    }

    /// Returns the location of a part of this schema.
    Location child(JsonNode part, String childBase, String... path) {
        StringBuilder longer = new StringBuilder(pointer);
        for (String token : path) {
            longer.append('/').append(escape(token));
        }
        return new Location(part, childBase, longer.toString());
    }

    static String escape(String token) {
        return token.replace("~", "~0").replace("/", "~1");
    }
}

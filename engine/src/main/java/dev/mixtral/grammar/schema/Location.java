package dev.mixtral.grammar.schema;

import java.util.Map;
import tools.jackson.databind.JsonNode;

/// A schema inside a document. Immutable.
///
/// Two locations are equal if their schemas are, and mean the same by their references; where they lie only
/// matters to messages.
///
/// @param node an object or a boolean
/// @param base the URI against which its references are resolved
/// @param pointer where it lies in the document, as a URI fragment: `#/properties/a`
/// @param scope what dynamic references lead to on the way here, see [DynamicAnchors]
record Location(JsonNode node, String base, String pointer, Map<String, Location> scope) {
    @Override
    public boolean equals(Object other) {
        return other instanceof Location location
                && base.equals(location.base)
                && scope.equals(location.scope)
                && node.equals(location.node);
    }

    @Override
    public int hashCode() {
        return node.hashCode();
    }

    /// Returns the pointer to a part of this schema.
    String pointerTo(String... path) {
        StringBuilder longer = new StringBuilder(pointer);
        for (String token : path) {
            longer.append('/').append(escape(token));
        }
        return longer.toString();
    }

    static String escape(String token) {
        return token.replace("~", "~0").replace("/", "~1");
    }
}

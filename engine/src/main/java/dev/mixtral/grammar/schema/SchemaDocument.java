package dev.mixtral.grammar.schema;

import dev.mixtral.error.Excerpt;
import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A schema document: which draft it follows, and what its references lead to. Immutable after construction.
///
/// Nothing is fetched: a reference that leads out of the document is refused, unless it leads to a published
/// meta-schema.
final class SchemaDocument {
    private static final int MAX_DEPTH = 128;
    private static final int SHOWN_CHARACTERS = 200;
    /// What stands for the URI of a document without one.
    private static final String NO_URI = "schema:/";

    /// Keywords whose value is a schema, or an array of them.
    private static final Set<String> OF_SCHEMAS = Set.of(
            "additionalItems",
            "additionalProperties",
            "allOf",
            "anyOf",
            "contains",
            "contentSchema",
            "else",
            "if",
            "items",
            "not",
            "oneOf",
            "prefixItems",
            "propertyNames",
            "then",
            "unevaluatedItems",
            "unevaluatedProperties");

    /// Keywords whose value is an object of schemas.
    private static final Set<String> OF_NAMED_SCHEMAS =
            Set.of("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties");

    /// The drafts that differ for us, oldest first.
    enum Draft {
        DRAFT_4,
        DRAFT_6,
        DRAFT_7,
        DRAFT_2019_09,
        DRAFT_2020_12;

        /// Returns whether the draft has a keyword: to older ones than its own it is an annotation.
        boolean has(String keyword) {
            return compareTo(first(keyword)) >= 0;
        }

        private static Draft first(String keyword) {
            return switch (keyword) {
                case "const", "contains", "propertyNames" -> DRAFT_6;
                case "if" -> DRAFT_7;
                case "dependentRequired",
                        "dependentSchemas",
                        "unevaluatedProperties",
                        "unevaluatedItems",
                        "minContains",
                        "maxContains",
                        "$recursiveRef" -> DRAFT_2019_09;
                case "prefixItems", "$dynamicRef" -> DRAFT_2020_12;
                default -> DRAFT_4;
            };
        }
    }

    private final Draft draft;
    private final Location root;
    private final Map<String, Location> byUri = new HashMap<>();
    private final DynamicAnchors dynamicAnchors = new DynamicAnchors();
    /// The meta-schemas that references lead to, by URI.
    private final Map<String, JsonNode> metaSchemas = new LinkedHashMap<>();

    /// @throws GrammarException if it is no schema document, or one of an unknown draft
    SchemaDocument(JsonNode schema) {
        if (!schema.isObject() && !schema.isBoolean()) {
            throw new GrammarException(
                    Reason.INVALID, "#", "", "is a JSON " + typeName(schema) + "; a schema is an object or a boolean");
        }
        this.draft = draft(schema.get("$schema"));
        Location top = new Location(schema, base(NO_URI, schema), "#", Map.of());
        byUri.put(NO_URI, top);
        index(schema, NO_URI, "#", 0);
        indexRest(schema, NO_URI, "#", 0);
        metaSchemas.forEach((uri, document) -> {
            if (byUri.putIfAbsent(uri, new Location(document, uri, "#", Map.of())) == null) {
                index(document, uri, "#", 0);
            }
        });
        this.root = enter(Map.of(), top);
    }

    static String typeName(JsonNode node) {
        return node.getNodeType().name().toLowerCase(java.util.Locale.ROOT);
    }

    private static Draft draft(@Nullable JsonNode schema) {
        String uri = schema == null || !schema.isString() ? "" : schema.stringValue();
        if (uri.contains("draft-03") || uri.contains("draft-02") || uri.contains("draft-01")) {
            throw new GrammarException(
                    Reason.UNSUPPORTED, "#", "$schema", "names " + uri + "; draft 4 and later ones are supported");
        }
        if (uri.contains("draft-04")) {
            return Draft.DRAFT_4;
        }
        if (uri.contains("draft-06")) {
            return Draft.DRAFT_6;
        }
        if (uri.contains("draft-07")) {
            return Draft.DRAFT_7;
        }
        return uri.contains("2019-09") ? Draft.DRAFT_2019_09 : Draft.DRAFT_2020_12;
    }

    Draft draft() {
        return draft;
    }

    Location root() {
        return root;
    }

    /// Indexes identifiers and anchors of the schemas that keywords lead to.
    private void index(JsonNode node, String base, String pointer, int depth) {
        requireDepth(pointer, depth);
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            index(node.get(i), base, pointer + "/" + i, depth + 1);
        }
        if (!node.isObject()) {
            return;
        }
        String own = note(node, base, pointer, true);
        for (Map.Entry<String, JsonNode> member : node.properties()) {
            String path = pointer + "/" + Location.escape(member.getKey());
            if (OF_SCHEMAS.contains(member.getKey())) {
                index(member.getValue(), own, path, depth + 1);
            } else if (OF_NAMED_SCHEMAS.contains(member.getKey())) {
                for (Map.Entry<String, JsonNode> named : member.getValue().properties()) {
                    index(named.getValue(), own, path + "/" + Location.escape(named.getKey()), depth + 2);
                }
            }
        }
    }

    /// Indexes what else looks like a schema: references may lead there, though no keyword does.
    private void indexRest(JsonNode node, String base, String pointer, int depth) {
        requireDepth(pointer, depth);
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            indexRest(node.get(i), base, pointer + "/" + i, depth + 1);
        }
        if (!node.isObject()) {
            return;
        }
        String own = note(node, base, pointer, false);
        for (Map.Entry<String, JsonNode> member : node.properties()) {
            boolean isData = member.getKey().equals("enum") || member.getKey().equals("const");
            if (!isData) {
                indexRest(member.getValue(), own, pointer + "/" + Location.escape(member.getKey()), depth + 1);
            }
        }
    }

    private static void requireDepth(String pointer, int depth) {
        if (depth > MAX_DEPTH) {
            throw new GrammarException(
                    Reason.TOO_LARGE,
                    pointer.substring(0, Math.min(200, pointer.length())),
                    "",
                    "nests deeper than " + MAX_DEPTH);
        }
    }

    /// Notes the names of an object that is, or may be, a schema. Returns the URI for references in it.
    private String note(JsonNode node, String base, String pointer, boolean isSchema) {
        String own = base(base, node);
        Location location = new Location(node, own, pointer, Map.of());
        if (node.path("$ref").isString()) {
            String target = withoutFragment(resolve(own, node.get("$ref").stringValue()));
            if (!metaSchemas.containsKey(target)) {
                metaSchemas.putAll(MetaSchemas.find(target));
            }
        }
        boolean isResource = pointer.equals("#") || !own.equals(base);
        if (!own.equals(base)) {
            byUri.putIfAbsent(own, location);
        }
        for (String keyword : List.of("$anchor", "$dynamicAnchor", "$id", "id")) {
            JsonNode value = node.get(keyword);
            if (value != null && value.isString()) {
                addAnchor(keyword, value.stringValue(), location);
            }
        }
        if (isSchema && node.path("$dynamicAnchor").isString()) {
            dynamicAnchors.add(node.get("$dynamicAnchor").stringValue(), location);
        }
        if (isSchema && isResource && node.path("$recursiveAnchor").asBoolean(false)) {
            dynamicAnchors.add(DynamicAnchors.RECURSIVE, location);
        }
        return own;
    }

    private void addAnchor(String keyword, String value, Location location) {
        boolean isId = keyword.endsWith("id");
        if (isId && !value.startsWith("#")) {
            return;
        }
        String name = isId ? value.substring(1) : value;
        byUri.putIfAbsent(location.base() + "#" + name, location);
    }

    /// Returns the URI against which a schema's references are resolved.
    String base(String base, JsonNode node) {
        JsonNode id = node.get(draft == Draft.DRAFT_4 ? "id" : "$id");
        boolean hides = draft.compareTo(Draft.DRAFT_7) <= 0 && node.has("$ref");
        if (id == null || !id.isString() || hides || id.stringValue().startsWith("#")) {
            return base;
        }
        return withoutFragment(resolve(base, id.stringValue()));
    }

    private static String withoutFragment(String uri) {
        int fragment = uri.indexOf('#');
        return fragment < 0 ? uri : uri.substring(0, fragment);
    }

    private static String resolve(String base, String reference) {
        try {
            return new URI(base).resolve(new URI(reference)).toString();
        } catch (URISyntaxException | IllegalArgumentException e) {
            return reference.startsWith("#") ? base + reference : reference;
        }
    }

    /// Returns a schema inside another.
    ///
    /// @param path the keywords and keys that lead to it
    Location child(Location parent, JsonNode schema, String... path) {
        Location child = new Location(schema, base(parent.base(), schema), parent.pointerTo(path), Map.of());
        return enter(parent.scope(), child);
    }

    private Location enter(Map<String, Location> scope, Location to) {
        return new Location(to.node(), to.base(), to.pointer(), dynamicAnchors.enter(scope, to.base()));
    }

    /// Returns the schema that a `$ref` leads to.
    ///
    /// @throws GrammarException if it leads out of the document or nowhere
    Location find(Location from, String reference) {
        return enter(from.scope(), findPlain(from, reference));
    }

    /// Returns the schema that a `$dynamicRef` leads to.
    ///
    /// @throws GrammarException if it leads out of the document or nowhere
    Location findDynamic(Location from, String reference) {
        Location first = findPlain(from, reference);
        String anchor = first.node().path("$dynamicAnchor").asString("");
        boolean isDynamic = !anchor.isEmpty() && reference.endsWith("#" + anchor);
        return enter(from.scope(), isDynamic ? from.scope().getOrDefault(anchor, first) : first);
    }

    /// Returns the schema that a `$recursiveRef` leads to.
    ///
    /// @throws GrammarException if it leads out of the document or nowhere
    Location findRecursive(Location from, String reference) {
        Location first = findPlain(from, reference);
        boolean isDynamic = first.node().path("$recursiveAnchor").asBoolean(false);
        return enter(from.scope(), isDynamic ? from.scope().getOrDefault(DynamicAnchors.RECURSIVE, first) : first);
    }

    private Location findPlain(Location from, String reference) {
        String uri = reference.startsWith("#") ? from.base() + reference : resolve(from.base(), reference);
        int hash = uri.indexOf('#');
        String document = withoutFragment(uri);
        String fragment = hash < 0 ? "" : uri.substring(hash + 1);
        Location exact = byUri.get(uri);
        if (exact != null && !fragment.startsWith("/")) {
            return exact;
        }
        Location top = byUri.get(document);
        if (top == null && document.equals(root.base())) {
            top = root;
        }
        if (top == null) {
            throw new GrammarException(
                    Reason.UNSUPPORTED,
                    "",
                    "",
                    "leads to " + Excerpt.of(uri, SHOWN_CHARACTERS)
                            + ", which is not in this document; put it into '$defs'");
        }
        if (fragment.isEmpty()) {
            return top;
        }
        Location found = fragment.startsWith("/") ? walk(top, fragment) : null;
        if (found == null) {
            throw new GrammarException(
                    Reason.INVALID,
                    "",
                    "",
                    "leads to " + Excerpt.of(reference, SHOWN_CHARACTERS) + ", where there is none");
        }
        return found;
    }

    private @Nullable Location walk(Location top, String fragment) {
        JsonNode node = top.node();
        String base = top.base();
        String pointer = top.pointer();
        for (String raw : fragment.substring(1).split("/", -1)) {
            String token = decode(raw).replace("~1", "/").replace("~0", "~");
            JsonNode next =
                    node.isArray() && token.matches("[0-9]{1,9}") ? node.get(Integer.parseInt(token)) : node.get(token);
            if (next == null) {
                return null;
            }
            node = next;
            base = base(base, node);
            pointer += "/" + Location.escape(token);
        }
        return node.isObject() || node.isBoolean() ? new Location(node, base, pointer, Map.of()) : null;
    }

    private static String decode(String token) {
        try {
            return URLDecoder.decode(token.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return token;
        }
    }
}

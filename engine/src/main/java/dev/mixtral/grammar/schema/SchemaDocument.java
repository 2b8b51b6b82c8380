package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A schema document: which draft it follows, and what its references lead to. Immutable after construction.
///
/// Nothing is fetched: a reference that leads out of the document is refused.
final class SchemaDocument {
    private static final int MAX_DEPTH = 128;
    /// What stands for the URI of a document without one.
    private static final String NO_URI = "schema:/";

    /// The drafts that differ for us, oldest first.
    enum Draft {
        DRAFT_4,
        DRAFT_6,
        DRAFT_7,
        DRAFT_2019_09,
        DRAFT_2020_12
    }

    private final Draft draft;
    private final Location root;
    private final Map<String, Location> byUri = new HashMap<>();
    private final Map<String, List<Location>> dynamicAnchors = new HashMap<>();

    /// @throws GrammarException if it is no schema document, or one of an unknown draft
    SchemaDocument(JsonNode schema) {
        if (!schema.isObject() && !schema.isBoolean()) {
            throw new GrammarException(
                    Reason.INVALID, "#", "", "is a JSON " + typeName(schema) + "; a schema is an object or a boolean");
        }
        this.draft = draft(schema.get("$schema"));
        String base = base(NO_URI, schema);
        this.root = new Location(schema, base, "#");
        byUri.put(NO_URI, root);
        index(schema, NO_URI, "#", 0);
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

    /// Indexes identifiers and anchors in all of the document, also where no keyword leads.
    private void index(JsonNode node, String base, String pointer, int depth) {
        if (depth > MAX_DEPTH) {
            throw new GrammarException(
                    Reason.TOO_LARGE,
                    pointer.substring(0, Math.min(200, pointer.length())),
                    "",
                    "nests deeper than " + MAX_DEPTH);
        }
        if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                index(node.get(i), base, pointer + "/" + i, depth + 1);
            }
        }
        if (!node.isObject()) {
            return;
        }
        String own = base(base, node);
        Location location = new Location(node, own, pointer);
        if (!own.equals(base)) {
            byUri.putIfAbsent(own, location);
        }
        for (String keyword : List.of("$anchor", "$dynamicAnchor", "$id", "id")) {
            JsonNode value = node.get(keyword);
            if (value != null && value.isString()) {
                addAnchor(keyword, value.stringValue(), location);
            }
        }
        for (Map.Entry<String, JsonNode> member : node.properties()) {
            boolean isData = member.getKey().equals("enum") || member.getKey().equals("const");
            if (!isData) {
                index(member.getValue(), own, pointer + "/" + Location.escape(member.getKey()), depth + 1);
            }
        }
    }

    private void addAnchor(String keyword, String value, Location location) {
        boolean isId = keyword.endsWith("id");
        if (isId && !value.startsWith("#")) {
            return;
        }
        String name = isId ? value.substring(1) : value;
        byUri.putIfAbsent(location.base() + "#" + name, location);
        if (keyword.equals("$dynamicAnchor")) {
            dynamicAnchors.computeIfAbsent(name, key -> new ArrayList<>()).add(location);
        }
    }

    /// Returns the URI against which a schema's references are resolved.
    String base(String base, JsonNode node) {
        JsonNode id = node.get(draft == Draft.DRAFT_4 ? "id" : "$id");
        boolean hides = draft.compareTo(Draft.DRAFT_7) <= 0 && node.has("$ref");
        if (id == null || !id.isString() || hides || id.stringValue().startsWith("#")) {
            return base;
        }
        String resolved = resolve(base, id.stringValue());
        int fragment = resolved.indexOf('#');
        return fragment < 0 ? resolved : resolved.substring(0, fragment);
    }

    private static String resolve(String base, String reference) {
        try {
            return new URI(base).resolve(new URI(reference)).toString();
        } catch (URISyntaxException | IllegalArgumentException e) {
            return reference.startsWith("#") ? base + reference : reference;
        }
    }

    /// Returns the schema that a `$ref` leads to.
    ///
    /// @throws GrammarException if it leads out of the document or nowhere
    Location find(Location from, String reference) {
        String uri = reference.startsWith("#") ? from.base() + reference : resolve(from.base(), reference);
        int hash = uri.indexOf('#');
        String document = hash < 0 ? uri : uri.substring(0, hash);
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
                    "leads to " + shorten(uri) + ", which is not in this document; put it into '$defs'");
        }
        if (fragment.isEmpty()) {
            return top;
        }
        Location found = fragment.startsWith("/") ? walk(top, fragment) : null;
        if (found == null) {
            throw new GrammarException(
                    Reason.INVALID, "", "", "leads to " + shorten(reference) + ", where there is none");
        }
        return found;
    }

    private static String shorten(String text) {
        return text.length() > 200 ? text.substring(0, 200) + "…" : text;
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
        return node.isObject() || node.isBoolean() ? new Location(node, base, pointer) : null;
    }

    private static String decode(String token) {
        try {
            return URLDecoder.decode(token.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return token;
        }
    }

    /// Returns the schema that a `$dynamicRef` leads to, whatever the path to it.
    ///
    /// @throws GrammarException if that depends on the path
    Location findDynamic(Location from, String reference) {
        Location first = find(from, reference);
        JsonNode anchor = first.node().get("$dynamicAnchor");
        int hash = reference.indexOf('#');
        boolean dynamic = anchor != null
                && anchor.isString()
                && hash >= 0
                && reference.substring(hash + 1).equals(anchor.stringValue());
        if (dynamic
                && dynamicAnchors.getOrDefault(anchor.stringValue(), List.of()).size() > 1) {
            throw new GrammarException(
                    Reason.UNSUPPORTED,
                    "",
                    "",
                    "has several targets named " + anchor.stringValue() + ", chosen by the path; use '$ref'");
        }
        return first;
    }

    /// Returns whether some schema of the document changes the meaning of `$recursiveRef`.
    boolean hasRecursiveAnchor() {
        return contains(root.node());
    }

    private static boolean contains(JsonNode node) {
        if (node.path("$recursiveAnchor").asBoolean(false)) {
            return true;
        }
        for (JsonNode child : node) {
            if (contains(child)) {
                return true;
            }
        }
        return false;
    }
}

package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.SchemaDocument.Draft;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Turns the schemas of a document into formulas, keyword by keyword. Not thread-safe.
///
/// A keyword that cannot be enforced is noted and the others are still read, so that one answer names all of
/// them.
final class Translator {
    private static final int MAX_FINDINGS = 20;
    private static final Set<String> IN_PLACE = Set.of(
            "$ref",
            "$dynamicRef",
            "$recursiveRef",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "dependencies",
            "dependentSchemas",
            "propertyNames",
            "unevaluatedProperties",
            "unevaluatedItems");

    private final SchemaDocument document;
    private final Formulas formulas = new Formulas();
    private final Algebra algebra;
    private final ScalarKeywords scalars;
    private final MemberKeywords members;
    private final Applicators applicators;
    private final Unevaluated unevaluated;
    private final Map<String, GrammarException> findings = new LinkedHashMap<>();
    private final Set<String> warnings = new HashSet<>();

    Translator(SchemaDocument document, RegexPool pool, TextForm form) {
        this.document = document;
        this.algebra = new Algebra(pool, form, formulas, this::translate, this::isLocal);
        this.scalars = new ScalarKeywords(pool, form, formulas, algebra);
        this.members = new MemberKeywords(this, pool, form);
        this.applicators = new Applicators(this);
        this.unevaluated = new Unevaluated(this);
    }

    SchemaDocument document() {
        return document;
    }

    Formulas formulas() {
        return formulas;
    }

    Algebra algebra() {
        return algebra;
    }

    Applicators applicators() {
        return applicators;
    }

    ScalarKeywords scalars() {
        return scalars;
    }

    MemberKeywords members() {
        return members;
    }

    Formula root() {
        return formulas.schema(document.root());
    }

    Set<String> warnings() {
        return warnings;
    }

    void warn(String warning) {
        warnings.add(warning);
    }

    /// Throws what was found, if anything was.
    void throwFindings() {
        if (findings.isEmpty()) {
            return;
        }
        List<GrammarException> all = List.copyOf(findings.values());
        GrammarException first = all.getFirst();
        if (all.size() == 1) {
            throw first;
        }
        StringBuilder more = new StringBuilder();
        for (GrammarException other : all.subList(1, all.size())) {
            more.append("; also ").append(other.getMessage());
        }
        throw first.withMore(more.toString());
    }

    /// Returns whether a schema says nothing about its value through other schemas.
    private boolean isLocal(Location location) {
        Location target = location;
        for (int i = 0; i < 8 && target.node().has("$ref"); i++) {
            JsonNode reference = target.node().get("$ref");
            boolean siblingsCount = document.draft().compareTo(Draft.DRAFT_7) > 0
                    && target.node().size() > 1;
            if (siblingsCount || !reference.isString()) {
                return false;
            }
            try {
                target = document.find(target, reference.stringValue());
            } catch (GrammarException e) {
                return false;
            }
        }
        JsonNode node = target.node();
        return IN_PLACE.stream().noneMatch(node::has);
    }

    /// Returns what a schema says about a value.
    private Formula translate(Location location) {
        JsonNode node = location.node();
        Formula reference = reference(location);
        if (reference != null && document.draft().compareTo(Draft.DRAFT_7) <= 0) {
            return reference; // up to draft 7 nothing beside a reference counts
        }
        boolean unevaluates = node.has("unevaluatedProperties") || node.has("unevaluatedItems");
        if (unevaluates && document.draft().has("unevaluatedProperties")) {
            return guard(
                    location,
                    node.has("unevaluatedProperties") ? "unevaluatedProperties" : "unevaluatedItems",
                    value -> unevaluated.translate(location));
        }
        List<Formula> parts = new ArrayList<>(own(location));
        if (reference != null) {
            parts.add(reference);
        }
        parts.addAll(applicators.translate(location, formulas.and(parts)));
        return formulas.and(parts);
    }

    /// Returns what a schema says by itself, without the schemas that it applies to the same value.
    List<Formula> own(Location location) {
        List<Formula> parts = new ArrayList<>();
        parts.add(scalars.translate(this, location));
        parts.addAll(members.translate(location));
        return parts;
    }

    /// Returns what a reference leads to, or null if there is none.
    @Nullable
    Formula reference(Location location) {
        JsonNode node = location.node();
        Formula result = null;
        if (node.has("$ref")) {
            result = guard(location, "$ref", value -> formulas.schema(document.find(location, Keywords.text(value))));
        }
        if (node.has("$dynamicRef") && document.draft().has("$dynamicRef")) {
            Formula dynamic = guard(
                    location,
                    "$dynamicRef",
                    value -> formulas.schema(document.findDynamic(location, Keywords.text(value))));
            result = result == null ? dynamic : formulas.and(result, dynamic);
        }
        if (node.has("$recursiveRef") && document.draft().has("$recursiveRef")) {
            Formula recursive = guard(
                    location,
                    "$recursiveRef",
                    value -> formulas.schema(document.findRecursive(location, Keywords.text(value))));
            result = result == null ? recursive : formulas.and(result, recursive);
        }
        return result;
    }

    /// Translates one keyword; if that fails, notes why and goes on as if it were not there.
    Formula guard(Location location, String keyword, Function<JsonNode, Formula> translation) {
        JsonNode value = location.node().get(keyword);
        if (value == null) {
            return formulas.always();
        }
        if (!document.draft().has(keyword)) {
            warn(location.pointer() + ": '" + keyword + "' is no keyword of the draft that '$schema' names; it is not "
                    + "enforced");
            return formulas.always();
        }
        try {
            return translation.apply(value);
        } catch (GrammarException e) {
            GrammarException placed = e.at(location.pointer(), keyword);
            if (placed.reason() == Reason.TOO_LARGE || findings.size() >= MAX_FINDINGS) {
                throw placed;
            }
            findings.putIfAbsent(placed.pointer() + " " + placed.keyword(), placed);
            return formulas.always();
        }
    }

    /// Returns the formula of a schema inside another.
    Formula child(Location parent, JsonNode schema, String... path) {
        if (!schema.isObject() && !schema.isBoolean()) {
            throw Keywords.wrongType("a schema (an object or a boolean)", schema);
        }
        return formulas.schema(document.child(parent, schema, path));
    }
}

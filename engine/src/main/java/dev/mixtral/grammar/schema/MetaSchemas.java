package dev.mixtral.grammar.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The schemas of schemas that json-schema.org publishes: the only documents that a reference may lead to without their
/// being part of the schema. Nothing is fetched.
final class MetaSchemas {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final String OLD = "http://json-schema.org/";
    private static final String NEW = "https://json-schema.org/";

    private MetaSchemas() {}

    /// Returns the documents that a reference needs, by URI; none if it does not lead to a meta-schema.
    ///
    /// @param document an absolute URI without its fragment
    static Map<String, JsonNode> find(String document) {
        for (String draft : List.of("draft-04", "draft-06", "draft-07")) {
            if (document.equals(OLD + draft + "/schema")) {
                return read(OLD, List.of(draft + "/schema"));
            }
        }
        for (String draft : List.of("draft/2019-09/", "draft/2020-12/")) {
            List<String> paths = paths(draft);
            if (document.startsWith(NEW) && paths.contains(document.substring(NEW.length()))) {
                return read(NEW, paths);
            }
        }
        return Map.of();
    }

    private static List<String> paths(String draft) {
        List<String> paths = new ArrayList<>(List.of(draft + "schema"));
        for (String name : List.of("core", "applicator", "validation", "meta-data", "content")) {
            paths.add(draft + "meta/" + name);
        }
        List<String> more = draft.contains("2019") ? List.of("format") : List.of("format-annotation", "unevaluated");
        more.forEach(name -> paths.add(draft + "meta/" + name));
        return paths;
    }

    private static Map<String, JsonNode> read(String site, List<String> paths) {
        Map<String, JsonNode> documents = new LinkedHashMap<>();
        paths.forEach(path -> {
            try (InputStream in = MetaSchemas.class.getResourceAsStream("meta/" + path)) {
                documents.put(site + path, MAPPER.readTree(Objects.requireNonNull(in, path)));
            } catch (IOException e) {
                throw new UncheckedIOException("meta/" + path, e);
            }
        });
        return documents;
    }
}

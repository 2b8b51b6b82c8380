package dev.mixtral.grammar.schema;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The schemas of schemas that json-schema.org publishes: the only documents that a reference may lead to without their
/// being part of the schema. Nothing is fetched.
final class MetaSchemas {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final String OLD = "http://json-schema.org/";
    private static final String NEW = "https://json-schema.org/";

    /// The documents that come with one, itself among them, by URI; each is the end of a URI and of a resource's name.
    private static final Map<String, List<String>> COMPANIONS = companions();

    private MetaSchemas() {}

    private static Map<String, List<String>> companions() {
        Map<String, List<String>> companions = new HashMap<>();
        for (String draft : List.of("draft-04", "draft-06", "draft-07")) {
            companions.put(OLD + draft + "/schema", List.of(draft + "/schema"));
        }
        List<String> shared = List.of("core", "applicator", "validation", "meta-data", "content");
        addVocabularies(companions, "draft/2019-09/", shared, List.of("format"));
        addVocabularies(companions, "draft/2020-12/", shared, List.of("format-annotation", "unevaluated"));
        return companions;
    }

    private static void addVocabularies(
            Map<String, List<String>> companions, String draft, List<String> shared, List<String> own) {
        List<String> paths = Stream.concat(
                        Stream.of(draft + "schema"),
                        Stream.concat(shared.stream(), own.stream()).map(name -> draft + "meta/" + name))
                .toList();
        paths.forEach(path -> companions.put(NEW + path, paths));
    }

    /// Returns the documents that a reference needs, by URI; none if it does not lead to a meta-schema.
    ///
    /// @param document an absolute URI without its fragment
    static Map<String, JsonNode> find(String document) {
        return read(document.startsWith(NEW) ? NEW : OLD, COMPANIONS.getOrDefault(document, List.of()));
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

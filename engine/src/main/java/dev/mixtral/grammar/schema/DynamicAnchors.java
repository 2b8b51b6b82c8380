package dev.mixtral.grammar.schema;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/// The anchors whose target depends on the way to a reference: of all schema resources on it that have the anchor, the
/// outermost one's counts. Filled while a document is indexed, not changed afterwards.
///
/// A scope maps anchors to their targets on one way. It has only the anchors of which there are several, so that most
/// documents have none.
final class DynamicAnchors {
    /// What stands for the anchor of draft 2019-09, which has no name.
    static final String RECURSIVE = "$recursiveAnchor";

    private final Map<String, Map<String, Location>> byResource = new HashMap<>();
    private final Map<String, Integer> counts = new HashMap<>();

    void add(String name, Location target) {
        Location first = byResource
                .computeIfAbsent(target.base(), base -> new LinkedHashMap<>())
                .putIfAbsent(name, target);
        if (first == null) {
            counts.merge(name, 1, Integer::sum);
        }
    }

    /// Returns the scope behind the beginning of a schema resource.
    ///
    /// @param scope the scope in front of it
    /// @param base the resource's URI
    Map<String, Location> enter(Map<String, Location> scope, String base) {
        Map<String, Location> longer = scope;
        for (Map.Entry<String, Location> anchor :
                byResource.getOrDefault(base, Map.of()).entrySet()) {
            String name = anchor.getKey();
            if (counts.getOrDefault(name, 0) > 1 && !longer.containsKey(name)) {
                longer = new LinkedHashMap<>(longer);
                longer.put(name, anchor.getValue());
            }
        }
        return longer;
    }
}

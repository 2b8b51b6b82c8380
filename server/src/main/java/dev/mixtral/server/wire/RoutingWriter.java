package dev.mixtral.server.wire;

import dev.mixtral.tokenizer.Tokenizer;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes which experts a token went to: the entries of `x_routing`.
public final class RoutingWriter {
    private RoutingWriter() {}

    /// Returns the entry of one token.
    ///
    /// @param choice the choice that the token belongs to, or −1 where there is only one
    /// @param position the token's place in the sequence, from 0
    /// @param experts `[numLayers * perToken]`, layer by layer
    /// @param weights the same, each layer's adding up to 1
    /// @param perToken experts per token
    public static ObjectNode entry(
            Tokenizer tokenizer, int choice, int position, int id, int[] experts, float[] weights, int perToken) {
        ObjectNode entry = Json.object()
                .put("position", position)
                .put("token", TokenText.of(tokenizer, id))
                .put("id", id);
        ArrayNode expertRows = Json.array();
        ArrayNode weightRows = Json.array();
        for (int at = 0; at < experts.length; at += perToken) {
            ArrayNode expertRow = Json.array();
            ArrayNode weightRow = Json.array();
            for (int i = at; i < at + perToken; i++) {
                expertRow.add(experts[i]);
                // Four digits: the page draws shades, and a stream has one entry per token.
                weightRow.add(Math.round(weights[i] * 1e4) / 1e4);
            }
            expertRows.add(expertRow);
            weightRows.add(weightRow);
        }
        entry.set("experts", expertRows);
        entry.set("weights", weightRows);
        if (choice >= 0) {
            entry.put("choice", choice);
        }
        return entry;
    }
}

package dev.mixtral.server.wire;

import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads the bodies of `/tokenize` and `/detokenize`.
public final class TokenRequests {
    private TokenRequests() {}

    /// A checked request for ids. Immutable.
    ///
    /// @param text what to encode; empty if there are messages
    /// @param messages a conversation to encode; empty if there is a text
    /// @param tools what the conversation may call
    /// @param addSpecial whether BOS comes first
    /// @param withPieces whether the answer spells each token
    public record Tokenize(
            String text, List<Message> messages, List<ToolDefinition> tools, boolean addSpecial, boolean withPieces) {
        public Tokenize {
            messages = List.copyOf(messages);
            tools = List.copyOf(tools);
        }
    }

    /// Reads the body of `/tokenize`.
    ///
    /// @throws ApiException naming what is wrong
    public static Tokenize tokenize(ObjectNode body) {
        Fields request = new Fields(body, "");
        boolean pieces = request.bool("with_pieces", false) || request.bool("return_token_strs", false);
        if (request.has("messages")) {
            return new Tokenize(
                    "", MessageReader.read(request), ToolReader.read(request).tools(), true, pieces);
        }
        for (String name : List.of("content", "prompt", "text")) {
            String text = request.string(name);
            if (text != null) {
                boolean special = request.bool("add_special", false) || request.bool("add_special_tokens", false);
                return new Tokenize(text, List.of(), List.of(), special, pieces);
            }
        }
        throw Fields.missing("content");
    }

    /// Reads the body of `/detokenize`.
    ///
    /// @param vocabSize ids must be below it
    /// @throws ApiException naming what is wrong
    public static int[] detokenize(ObjectNode body, int vocabSize) {
        Fields request = new Fields(body, "");
        JsonNode array = request.array("tokens");
        if (array == null) {
            throw Fields.missing("tokens");
        }
        return array.isEmpty() ? new int[0] : CompletionRequestReader.tokenIds(array, "tokens", vocabSize);
    }
}

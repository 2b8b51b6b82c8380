package dev.mixtral.server.wire;

import dev.mixtral.server.Dialect;
import java.util.UUID;
import tools.jackson.databind.node.ObjectNode;

/// What every piece of an answer says about the whole. Immutable.
///
/// @param dialect the client's
/// @param id the answer's id
/// @param created seconds since 1970
/// @param model id of the model that answers
/// @param fingerprint what equal output depends on
/// @param provider this server's name among OpenRouter's providers
public record AnswerHead(Dialect dialect, String id, long created, String model, String fingerprint, String provider) {

    /// Makes a head for a new answer.
    ///
    /// @param idPrefix the API's prefix of ids, such as `chatcmpl-`
    public static AnswerHead of(Dialect dialect, String idPrefix, String model, String fingerprint, String provider) {
        String prefix = dialect == Dialect.OPENROUTER ? "gen-" : idPrefix;
        String id = prefix + UUID.randomUUID().toString().replace("-", "");
        return new AnswerHead(dialect, id, System.currentTimeMillis() / 1000, model, fingerprint, provider);
    }

    /// Starts a piece of the answer.
    ObjectNode node(String object) {
        ObjectNode node = Json.object()
                .put("id", id)
                .put("object", object)
                .put("created", created)
                .put("model", model)
                .put("system_fingerprint", fingerprint);
        if (dialect == Dialect.OPENROUTER) {
            node.put("provider", provider);
        }
        return node;
    }
}

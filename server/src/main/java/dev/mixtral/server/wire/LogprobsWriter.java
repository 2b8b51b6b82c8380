package dev.mixtral.server.wire;

import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes log-probabilities in the forms of chat and of text completions.
final class LogprobsWriter {
    /// Stands for minus infinity, which JSON cannot say.
    private static final double IMPOSSIBLE = -9999.0;

    private LogprobsWriter() {}

    /// Returns the `logprobs` object of a chat choice.
    static ObjectNode chat(Tokenizer tokenizer, List<TokenLogprob> logprobs) {
        ArrayNode content = Json.array();
        for (TokenLogprob logprob : logprobs) {
            ObjectNode entry = token(tokenizer, logprob.id(), logprob.logprob());
            ArrayNode top = Json.array();
            logprob.top().forEach(candidate -> top.add(token(tokenizer, candidate.id(), candidate.logprob())));
            entry.set("top_logprobs", top);
            content.add(entry);
        }
        ObjectNode node = Json.object();
        node.set("content", content);
        node.set("refusal", Json.NODES.nullNode());
        return node;
    }

    private static ObjectNode token(Tokenizer tokenizer, int id, double logprob) {
        ObjectNode node =
                Json.object().put("token", TokenText.of(tokenizer, id)).put("logprob", finite(logprob));
        ArrayNode bytes = Json.array();
        byte[] raw =
                tokenizer.isControl(id) ? tokenizer.piece(id).getBytes(StandardCharsets.UTF_8) : tokenizer.bytes(id);
        for (byte b : raw) {
            bytes.add(b & 0xff);
        }
        node.set("bytes", bytes);
        return node;
    }

    /// Returns the `logprobs` object of a text choice: parallel arrays.
    ///
    /// @param offset characters in front of the first token
    /// @param firstIsUnknown whether the first token has no log-probability, being the first of an echoed prompt
    static ObjectNode text(Tokenizer tokenizer, List<TokenLogprob> logprobs, int offset, boolean firstIsUnknown) {
        ArrayNode tokens = Json.array();
        ArrayNode values = Json.array();
        ArrayNode tops = Json.array();
        ArrayNode offsets = Json.array();
        int at = offset;
        for (int i = 0; i < logprobs.size(); i++) {
            TokenLogprob logprob = logprobs.get(i);
            String token = TokenText.of(tokenizer, logprob.id());
            boolean unknown = i == 0 && firstIsUnknown;
            tokens.add(token);
            values.add(unknown ? Json.NODES.nullNode() : Json.NODES.numberNode(finite(logprob.logprob())));
            tops.add(unknown ? Json.NODES.nullNode() : top(tokenizer, logprob));
            offsets.add(at);
            // The dummy space in front of a prompt is no part of its text.
            at += unknown && token.startsWith(" ") ? token.length() - 1 : token.length();
        }
        ObjectNode node = Json.object();
        node.set("tokens", tokens);
        node.set("token_logprobs", values);
        node.set("top_logprobs", tops);
        node.set("text_offset", offsets);
        return node;
    }

    private static JsonNode top(Tokenizer tokenizer, TokenLogprob logprob) {
        ObjectNode top = Json.object();
        logprob.top()
                .forEach(candidate -> top.put(TokenText.of(tokenizer, candidate.id()), finite(candidate.logprob())));
        // The token itself is always among them, so there may be one more than was asked for.
        String chosen = TokenText.of(tokenizer, logprob.id());
        if (!top.has(chosen)) {
            top.put(chosen, finite(logprob.logprob()));
        }
        return top;
    }

    private static double finite(double logprob) {
        return Double.isFinite(logprob) ? logprob : IMPOSSIBLE;
    }
}

package dev.mixtral.server.api;

import dev.mixtral.server.wire.Json;
import dev.mixtral.server.wire.ModelSelection;
import dev.mixtral.server.wire.TokenRequests;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers `/tokenize` and `/detokenize`, in the words of llama.cpp and of vLLM. Thread-safe.
final class TokensHandler {
    private final Services services;

    TokensHandler(Services services) {
        this.services = services;
    }

    /// Text or messages to ids.
    void tokenize(Call call) {
        ObjectNode body = call.json();
        ServedModel served = served(call, body);
        Tokenizer tokenizer = served.model().tokenizer();
        TokenRequests.Tokenize request = TokenRequests.tokenize(body);
        int[] ids = request.messages().isEmpty()
                ? ids(tokenizer, request)
                : served.model().renderChat(request.messages(), request.tools());
        ArrayNode tokens = Json.array();
        IntStream.of(ids).forEach(tokens::add);
        ObjectNode answer = Json.object();
        answer.set("tokens", tokens);
        answer.put("count", ids.length).put("max_model_len", served.model().contextLength());
        if (request.withPieces()) {
            ArrayNode pieces = Json.array();
            IntStream.of(ids).forEach(id -> pieces.add(tokenizer.piece(id)));
            answer.set("pieces", pieces);
        }
        call.respond(200, answer);
    }

    private static int[] ids(Tokenizer tokenizer, TokenRequests.Tokenize request) {
        IntStream text = IntStream.of(tokenizer.encode(request.text()));
        return (request.addSpecial() ? IntStream.concat(IntStream.of(tokenizer.bosId()), text) : text).toArray();
    }

    /// Ids to text.
    void detokenize(Call call) {
        ObjectNode body = call.json();
        ServedModel served = served(call, body);
        int[] ids = TokenRequests.detokenize(body, served.model().vocabSize());
        String text = served.model().tokenizer().decode(ids);
        call.respond(200, Json.object().put("content", text).put("prompt", text));
    }

    /// Neither peer's form names a model, so the first one is the default.
    private ServedModel served(Call call, ObjectNode body) {
        ModelSelection selection =
                body.path("model").isString() ? ModelSelection.single(body) : new ModelSelection(List.of());
        ServedModel served = services.select(call, selection).getFirst();
        call.usesModel(served.id());
        return served;
    }
}

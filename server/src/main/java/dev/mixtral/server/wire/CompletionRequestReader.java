package dev.mixtral.server.wire;

import dev.mixtral.server.Dialect;
import dev.mixtral.server.wire.CompletionRequest.TextPrompt;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads and checks the body of a text completion.
public final class CompletionRequestReader {
    /// OpenAI's limit of a request that names none.
    public static final int DEFAULT_MAX_TOKENS = 16;

    private static final int MAX_LOGPROBS = 5;
    private static final int MAX_PROMPTS = 2048;

    private CompletionRequestReader() {}

    /// Reads a request.
    ///
    /// @param body the request
    /// @param rules what it is checked against
    /// @throws ApiException naming what is wrong and where
    public static CompletionRequest read(ObjectNode body, RequestRules rules) {
        return read(body, rules, DEFAULT_MAX_TOKENS);
    }

    /// Same.
    ///
    /// @param defaultMaxTokens the limit if the request names none; `null` for as many as the context holds
    public static CompletionRequest read(ObjectNode body, RequestRules rules, @Nullable Integer defaultMaxTokens) {
        Fields request = new Fields(body, "");
        List<TextPrompt> prompts = prompts(request, rules.vocabSize());
        String suffix = request.string("suffix");
        if (suffix != null && !suffix.isEmpty()) {
            throw ApiException.invalid(
                    "suffix",
                    "invalid_value",
                    "Invalid 'suffix': this model has no tokens for filling in the middle. Leave it out.");
        }
        int n = request.integer("n", 1, rules.maxChoices(), 1);
        int bestOf = request.integer("best_of", 1, rules.maxChoices(), n);
        if (bestOf < n) {
            throw ApiException.invalid(
                    "best_of",
                    "integer_below_min_value",
                    "Invalid 'best_of': integer below minimum value. Expected a value >= 'n', which is " + n
                            + ", but got " + bestOf + " instead.");
        }
        ChatRequest.StreamSettings stream = ChatRequestReader.stream(request);
        if (stream.isStream() && bestOf > n) {
            throw ApiException.invalid(
                    "best_of",
                    "invalid_value",
                    "Invalid 'best_of': a stream cannot be taken back, so it must equal 'n'.");
        }
        return new CompletionRequest(
                prompts,
                OutputFormatReader.read(request),
                SamplingReader.read(
                        request, rules, maxTokens(request, rules, defaultMaxTokens), topLogprobs(request, bestOf > n)),
                n,
                bestOf,
                request.bool("echo", false),
                stream,
                ChatRequestReader.extras(request));
    }

    private static @Nullable Integer maxTokens(Fields request, RequestRules rules, @Nullable Integer defaultMaxTokens) {
        // 0 with `echo` scores a prompt.
        int min = rules.dialect() == Dialect.MISTRAL || request.bool("echo", false) ? 0 : 1;
        Long limit = request.integer("max_tokens", min, (long) Integer.MAX_VALUE);
        return limit == null ? defaultMaxTokens : Integer.valueOf(Math.toIntExact(limit));
    }

    /// The legacy form is a number; some clients send chat's booleans. Ranking by `best_of` needs them in any case.
    private static @Nullable Integer topLogprobs(Fields request, boolean needed) {
        JsonNode node = request.get("logprobs");
        if (node != null && node.isBoolean()) {
            node = node.booleanValue() ? Json.NODES.numberNode(0) : null;
        }
        if (node == null) {
            return needed ? 0 : null;
        }
        return (int) Fields.integer(node, "logprobs", 0, MAX_LOGPROBS);
    }

    /// Tells the two apart: whether the answer shows log-probabilities.
    public static boolean showsLogprobs(ObjectNode body) {
        JsonNode node = body.path("logprobs");
        return node.isNumber() || (node.isBoolean() && node.booleanValue());
    }

    private static List<TextPrompt> prompts(Fields request, int vocabSize) {
        JsonNode node = request.get("prompt");
        if (node == null) {
            throw Fields.missing("prompt");
        }
        if (node.isString()) {
            return List.of(new TextPrompt.Text(node.stringValue()));
        }
        if (!node.isArray()) {
            throw Fields.wrongType("prompt", "a string or an array of strings or tokens", node);
        }
        if (node.isEmpty()) {
            throw Fields.empty("prompt");
        }
        if (node.get(0).isNumber()) {
            return List.of(ids(node, "prompt", vocabSize));
        }
        if (node.size() > MAX_PROMPTS) {
            throw Fields.tooLong("prompt", MAX_PROMPTS, node.size());
        }
        List<TextPrompt> prompts = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            JsonNode prompt = node.get(i);
            if (prompt.isString()) {
                prompts.add(new TextPrompt.Text(prompt.stringValue()));
            } else if (prompt.isArray()) {
                prompts.add(ids(prompt, "prompt[" + i + "]", vocabSize));
            } else {
                throw Fields.wrongType("prompt[" + i + "]", "a string or an array of tokens", prompt);
            }
        }
        return prompts;
    }

    private static TextPrompt ids(JsonNode array, String param, int vocabSize) {
        return new TextPrompt.Ids(tokenIds(array, param, vocabSize));
    }

    /// Reads an array of token ids.
    ///
    /// @throws ApiException if one is outside the vocabulary
    static int[] tokenIds(JsonNode array, String param, int vocabSize) {
        if (array.isEmpty()) {
            throw Fields.empty(param);
        }
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) Fields.integer(array.get(i), param + "[" + i + "]", 0, vocabSize - 1);
        }
        return ids;
    }
}

package dev.mixtral.server.wire;

import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.wire.ChatRequest.Extras;
import dev.mixtral.server.wire.ChatRequest.StreamSettings;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads and checks the body of a chat completion.
public final class ChatRequestReader {
    /// The guardrail that Mistral documents for `safe_prompt`.
    static final String SAFE_PROMPT =
            "Always assist with care, respect, and truth. Respond with utmost utility yet securely. Avoid harmful,"
                    + " unethical, prejudiced, or negative content. Ensure replies promote fairness and positivity.";

    private ChatRequestReader() {}

    /// Reads a request.
    ///
    /// @param body the request
    /// @param rules what it is checked against
    /// @throws ApiException naming what is wrong and where
    public static ChatRequest read(ObjectNode body, RequestRules rules) {
        Fields request = new Fields(body, "");
        List<Message> messages = new ArrayList<>(MessageReader.read(request));
        if (request.bool("safe_prompt", false)) {
            messages.addFirst(new SystemMessage(SAFE_PROMPT));
        }
        checkModalities(request);
        return new ChatRequest(
                messages,
                ToolReader.read(request),
                OutputFormatReader.read(request),
                SamplingReader.read(request, rules, maxTokens(request, rules.dialect()), topLogprobs(request)),
                request.integer("n", 1, rules.maxChoices(), 1),
                stream(request),
                extras(request));
    }

    /// Reads the body of Mistral's fill-in-the-middle completion, whose `prompt` becomes the only message.
    ///
    /// @throws ApiException naming what is wrong and where; a suffix among it, which the models cannot take
    public static ChatRequest readFim(ObjectNode body, RequestRules rules) {
        Fields request = new Fields(body, "");
        String prompt = request.requiredString("prompt");
        String suffix = request.string("suffix");
        if (suffix != null && !suffix.isEmpty()) {
            throw ApiException.invalid(
                    "suffix",
                    "invalid_value",
                    "Invalid 'suffix': this model has no tokens for filling in the middle. Leave it out.");
        }
        return new ChatRequest(
                List.of(new UserMessage(prompt)),
                ToolSettings.NONE,
                new OutputFormat.Text(),
                SamplingReader.read(request, rules, maxTokens(request, rules.dialect()), null),
                1,
                stream(request),
                extras(request));
    }

    private static @Nullable Integer maxTokens(Fields request, Dialect dialect) {
        Long newer = request.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
        Long older = request.integer("max_tokens", dialect == Dialect.MISTRAL ? 0 : 1, Integer.MAX_VALUE);
        Long limit = newer == null ? older : newer;
        return limit == null ? null : Math.toIntExact(limit);
    }

    private static @Nullable Integer topLogprobs(Fields request) {
        boolean wanted = request.bool("logprobs", false);
        int top = request.integer("top_logprobs", 0, SamplingReader.MAX_TOP_LOGPROBS, 0);
        if (top > 0 && !wanted) {
            throw new ApiException(ApiError.invalid(
                    "top_logprobs", null, "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled."));
        }
        return wanted ? top : null;
    }

    static StreamSettings stream(Fields request) {
        Fields options = request.object("stream_options");
        boolean usage = options != null && options.bool("include_usage", false);
        return new StreamSettings(request.bool("stream", false), usage);
    }

    static Extras extras(Fields request) {
        boolean routing = request.bool("x_routing", false);
        return new Extras(routing, request.bool("x_timing", false) || routing);
    }

    private static void checkModalities(Fields request) {
        JsonNode modalities = request.array("modalities");
        if (modalities != null) {
            for (JsonNode modality : modalities) {
                if (!"text".equals(modality.asString(""))) {
                    throw Fields.badValue("modalities", modality.asString(""), List.of("text"));
                }
            }
        }
    }
}

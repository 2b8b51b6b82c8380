package dev.mixtral.server.wire;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolMessage;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Holds each tool message to a call of the assistant message before it, and each call to a tool message. The messages
/// are OpenAI's to the letter, spelling included: clients match them.
final class ToolResultCheck {
    private ToolResultCheck() {}

    static void check(List<Message> messages) {
        Set<@Nullable String> open = new LinkedHashSet<>();
        for (int i = 0; i < messages.size(); i++) {
            switch (messages.get(i)) {
                case ToolMessage result -> {
                    if (!open.remove(result.toolCallId())) {
                        throw fault(
                                i,
                                "Invalid parameter: messages with role 'tool' must be a response to a preceeding"
                                        + " message with 'tool_calls'.");
                    }
                }
                case AssistantMessage answer -> {
                    checkNoneOpen(open, i - 1);
                    answer.toolCalls().forEach(call -> open.add(call.id()));
                }
                default -> checkNoneOpen(open, i - 1);
            }
        }
        checkNoneOpen(open, messages.size() - 1);
    }

    private static void checkNoneOpen(Set<@Nullable String> open, int index) {
        if (!open.isEmpty()) {
            throw fault(
                    index,
                    "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
                            + " 'tool_call_id'. The following tool_call_ids did not have response messages: "
                            + open.stream().map(Objects::toString).collect(Collectors.joining(", ")));
        }
    }

    private static ApiException fault(int index, String message) {
        return new ApiException(ApiError.invalid("messages.[" + index + "].role", null, message));
    }
}

package dev.mixtral.chat;

import dev.mixtral.error.InvalidRequestException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Brings messages in any order that chat clients send into the order that the instruct formats have.
///
/// Leading system messages are the system prompt; a later one is part of the user's next turn. Neighbours of one role
/// are joined by an empty line. A conversation that starts with the assistant gets an empty user turn, one of system
/// messages alone becomes a user turn. A trailing assistant message is left open for the model to go on with. Calls
/// and results of tools stay strict, since a result in the wrong place cannot be put right by guessing.
final class LenientNormalizer {
    private LenientNormalizer() {}

    static Conversation normalize(List<Message> messages) {
        if (messages.isEmpty()) {
            throw new InvalidRequestException("messages", "messages is empty; at least one message is needed");
        }
        checkPrefix(messages);
        checkToolResults(messages);
        int numLeading = 0;
        while (numLeading < messages.size() && messages.get(numLeading) instanceof SystemMessage) {
            numLeading++;
        }
        String system = TurnMerger.join(
                messages.subList(0, numLeading).stream().map(message -> ((SystemMessage) message).content()));
        if (numLeading == messages.size()) {
            return new Conversation("", List.of(new UserMessage(system)), false);
        }
        List<Message> turns = new ArrayList<>();
        for (Message message : messages.subList(numLeading, messages.size())) {
            turns.add(message instanceof SystemMessage(String content) ? new UserMessage(content) : message);
        }
        List<Message> merged = TurnMerger.merge(turns);
        if (!(merged.getFirst() instanceof UserMessage)) {
            merged.addFirst(new UserMessage(""));
        }
        return new Conversation(system, merged, merged.getLast() instanceof AssistantMessage);
    }

    private static void checkPrefix(List<Message> messages) {
        for (int i = 0; i < messages.size() - 1; i++) {
            if (messages.get(i) instanceof AssistantMessage answer && answer.prefix()) {
                String param = "messages[" + i + "].prefix";
                throw new InvalidRequestException(param, param + " is true, which only the last message may have");
            }
        }
    }

    /// Holds each tool message to a call of the assistant message before it, and each call to a tool message.
    private static void checkToolResults(List<Message> messages) {
        Set<@Nullable String> open = new LinkedHashSet<>();
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i) instanceof ToolMessage result) {
                if (!open.remove(result.toolCallId())) {
                    throw new InvalidRequestException(
                            "messages.[" + i + "].role",
                            "messages with role 'tool' must be a response to a preceeding message with"
                                    + " 'tool_calls'.");
                }
                continue;
            }
            checkNoneOpen(open, i);
            if (messages.get(i) instanceof AssistantMessage answer) {
                answer.toolCalls().forEach(call -> open.add(call.id()));
            }
        }
        checkNoneOpen(open, messages.size());
    }

    private static void checkNoneOpen(Set<@Nullable String> open, int index) {
        if (!open.isEmpty()) {
            throw new InvalidRequestException(
                    "messages.[" + (index - 1) + "].role",
                    "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
                            + " 'tool_call_id'. The following tool_call_ids did not have response messages: "
                            + open.stream().map(Objects::toString).collect(Collectors.joining(", ")));
        }
    }
}

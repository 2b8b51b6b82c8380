package dev.mixtral.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Joins neighbouring messages of one role into one, as mistral-common's `normalize.py` does.
final class TurnMerger {
    static final String SEPARATOR = "\n\n";

    private TurnMerger() {}

    /// Joins texts with an empty line between them; empty ones leave no trace.
    static String join(Stream<String> texts) {
        return texts.filter(text -> !text.isEmpty()).collect(Collectors.joining(SEPARATOR));
    }

    /// Returns the messages with neighbouring user messages joined, and neighbouring assistant messages.
    static List<Message> merge(List<Message> messages) {
        List<Message> merged = new ArrayList<>();
        for (Message message : messages) {
            Message last = merged.isEmpty() ? null : merged.getLast();
            if (message instanceof UserMessage user && last instanceof UserMessage previous) {
                merged.set(merged.size() - 1, join(previous, user));
            } else if (message instanceof AssistantMessage answer && last instanceof AssistantMessage previous) {
                merged.set(merged.size() - 1, join(previous, answer));
            } else {
                merged.add(message);
            }
        }
        return merged;
    }

    private static UserMessage join(UserMessage first, UserMessage second) {
        return new UserMessage(join(Stream.of(first.content(), second.content())));
    }

    private static AssistantMessage join(AssistantMessage first, AssistantMessage second) {
        List<ToolCall> calls = new ArrayList<>(first.toolCalls());
        calls.addAll(second.toolCalls());
        return new AssistantMessage(
                join(Stream.of(text(first), text(second))), calls, first.prefix() || second.prefix());
    }

    private static String text(AssistantMessage message) {
        String content = message.content();
        return content == null ? "" : content;
    }
}

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
        int from = 0;
        while (from < messages.size()) {
            int to = from + 1;
            while (to < messages.size() && isOneTurn(messages.get(from), messages.get(to))) {
                to++;
            }
            // A run is joined at once: two by two, a long one would take the square of its length.
            merged.add(to == from + 1 ? messages.get(from) : join(messages.subList(from, to)));
            from = to;
        }
        return merged;
    }

    private static boolean isOneTurn(Message first, Message second) {
        return (first instanceof UserMessage && second instanceof UserMessage)
                || (first instanceof AssistantMessage && second instanceof AssistantMessage);
    }

    private static Message join(List<Message> run) {
        String text = join(run.stream().map(TurnMerger::text));
        if (run.getFirst() instanceof UserMessage) {
            return new UserMessage(text);
        }
        List<ToolCall> calls = new ArrayList<>();
        boolean prefix = false;
        for (Message message : run) {
            if (message instanceof AssistantMessage answer) {
                calls.addAll(answer.toolCalls());
                prefix |= answer.prefix();
            }
        }
        return new AssistantMessage(text, calls, prefix);
    }

    private static String text(Message message) {
        return switch (message) {
            case UserMessage user -> user.content();
            case AssistantMessage answer -> answer.content() == null ? "" : answer.content();
            case SystemMessage _, ToolMessage _ -> throw new IllegalArgumentException("only turns are joined");
        };
    }
}

package dev.mixtral.train.data;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.error.InvalidRequestException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Holds a conversation to the order that the model's chat formats have. Nothing is put right by guessing: a model
/// would learn the guess.
final class ConversationCheck {
    private static final JsonMapper JSON = new JsonMapper();

    private final List<Message> messages;
    private final Set<String> toolNames;
    private final Set<@Nullable String> openCalls = new HashSet<>();

    private ConversationCheck(List<Message> messages, List<ToolDefinition> tools) {
        this.messages = messages;
        this.toolNames = tools.stream().map(ToolDefinition::name).collect(Collectors.toSet());
    }

    /// @param muted indices of the assistant's messages that are not learned
    /// @throws InvalidRequestException naming the first message at fault
    static void check(List<Message> messages, List<ToolDefinition> tools, Set<Integer> muted) {
        new ConversationCheck(messages, tools).run();
        boolean learns = false;
        for (int i = 0; i < messages.size(); i++) {
            learns |= messages.get(i) instanceof AssistantMessage && !muted.contains(i);
        }
        if (!learns) {
            throw ExampleJson.fault("messages", "nothing to learn: every assistant message has weight 0");
        }
    }

    private void run() {
        if (messages.isEmpty()) {
            throw ExampleJson.fault("messages", "messages is empty");
        }
        for (int i = 0; i < messages.size(); i++) {
            checkMessage(i, i == 0 ? null : messages.get(i - 1), messages.get(i));
        }
        if (!(messages.getLast() instanceof AssistantMessage)) {
            throw at(messages.size() - 1, "the last message must be the assistant's, got " + role(messages.getLast()));
        }
    }

    private void checkMessage(int i, @Nullable Message previous, Message message) {
        boolean isFirstTurn = previous == null || previous instanceof SystemMessage;
        switch (message) {
            case SystemMessage system -> {
                require(isFirstTurn, i, "a system message may only come first");
                requireText(i, system.content());
            }
            case UserMessage user -> {
                requireNoOpenCalls(i);
                require(
                        isFirstTurn || previous instanceof AssistantMessage,
                        i,
                        "a user message after " + role(previous) + "; join them to one");
                requireText(i, user.content());
            }
            case AssistantMessage answer -> {
                requireNoOpenCalls(i);
                require(
                        previous instanceof UserMessage || previous instanceof ToolMessage,
                        i,
                        "an assistant message after " + role(previous) + "; expected a user's or a tool's before it");
                checkAnswer(i, answer);
            }
            case ToolMessage result ->
                require(
                        openCalls.remove(result.toolCallId()),
                        i,
                        "a tool message that answers no call of the assistant's message before it (tool_call_id "
                                + result.toolCallId() + ")");
        }
    }

    private void checkAnswer(int i, AssistantMessage answer) {
        String content = answer.content();
        boolean hasText = content != null && !content.isBlank();
        require(hasText || !answer.toolCalls().isEmpty(), i, "the assistant says nothing and calls nothing");
        require(!answer.prefix(), i, "a prefix is no whole answer");
        for (ToolCall call : answer.toolCalls()) {
            require(
                    toolNames.isEmpty() || toolNames.contains(call.name()),
                    i,
                    "calls " + call.name() + ", which 'tools' does not offer");
            require(isObject(call.arguments()), i, "the arguments of " + call.name() + " are no JSON object");
            openCalls.add(call.id());
        }
    }

    private static boolean isObject(String arguments) {
        try {
            return JSON.readTree(arguments).isObject();
        } catch (JacksonException _) {
            return false;
        }
    }

    private void requireNoOpenCalls(int i) {
        require(openCalls.isEmpty(), i, "calls of tools before it have no results: " + openCalls);
    }

    private static void requireText(int i, String content) {
        require(!content.isBlank(), i, "the content is empty");
    }

    private static void require(boolean condition, int i, String what) {
        if (!condition) {
            throw at(i, what);
        }
    }

    private static InvalidRequestException at(int i, String what) {
        return ExampleJson.fault("messages[" + i + "]", "messages[" + i + "]: " + what);
    }

    private static String role(@Nullable Message message) {
        return switch (message) {
            case null -> "nothing";
            case SystemMessage _ -> "a system message";
            case UserMessage _ -> "a user message";
            case AssistantMessage _ -> "an assistant message";
            case ToolMessage _ -> "a tool message";
        };
    }
}

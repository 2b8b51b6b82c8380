package dev.mixtral.chat;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.tokenizer.TokenizerVersion;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// Accepts and rejects what Mistral's own `mistral-common` does, and normalises as it does.
///
/// Source: `protocol/instruct/validator.py` (test mode) and `normalize.py` of mistral-common 1.11.7.
final class StrictNormalizer {
    private static final Pattern FUNCTION_NAME = Pattern.compile("[a-zA-Z0-9_-]{1,64}");
    private static final Pattern CALL_ID = Pattern.compile("[a-zA-Z0-9]{9}");

    private enum Role {
        SYSTEM,
        USER,
        ASSISTANT,
        TOOL;

        static Role of(Message message) {
            return switch (message) {
                case SystemMessage _ -> SYSTEM;
                case UserMessage _ -> USER;
                case AssistantMessage _ -> ASSISTANT;
                case ToolMessage _ -> TOOL;
            };
        }

        Set<Role> successors() {
            return switch (this) {
                case SYSTEM -> EnumSet.of(USER, ASSISTANT, SYSTEM);
                case USER -> EnumSet.of(ASSISTANT, SYSTEM, USER);
                case ASSISTANT -> EnumSet.of(ASSISTANT, USER, TOOL);
                case TOOL -> EnumSet.of(ASSISTANT, TOOL, USER);
            };
        }

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final TokenizerVersion version;

    StrictNormalizer(TokenizerVersion version) {
        this.version = version;
    }

    Conversation normalize(List<Message> messages, List<ToolDefinition> tools, boolean continueFinal) {
        checkStructure(messages, continueFinal);
        for (int i = 0; i < messages.size(); i++) {
            checkContent(messages.get(i), "messages[" + i + "]", i == messages.size() - 1);
        }
        for (int i = 0; i < tools.size(); i++) {
            checkName(tools.get(i).name(), "tools[" + i + "].function.name");
            SchemaCheck.check(tools.get(i).parameters(), "tools[" + i + "].function.parameters");
        }
        List<SystemMessage> system = new ArrayList<>();
        List<Message> turns = new ArrayList<>();
        for (Message message : messages) {
            if (message instanceof SystemMessage instruction) {
                system.add(instruction);
                // Ends a run of one role: user, system, user stays two turns.
                turns.add(instruction);
            } else {
                turns.add(message);
            }
        }
        List<Message> merged = new ArrayList<>(TurnMerger.merge(turns));
        merged.removeIf(SystemMessage.class::isInstance);
        if (merged.isEmpty() || !(merged.getFirst() instanceof UserMessage)) {
            merged.addFirst(new UserMessage(""));
        }
        String prompt = String.join(
                TurnMerger.SEPARATOR,
                system.stream()
                        .map(SystemMessage::content)
                        .filter(text -> !text.isEmpty())
                        .toList());
        return new Conversation(prompt, merged, continueFinal);
    }

    private void checkStructure(List<Message> messages, boolean continueFinal) {
        if (messages.isEmpty()) {
            throw new InvalidRequestException("messages", "Conversation must have at least one message");
        }
        Message last = messages.getLast();
        if (messages.size() == 1 && (last instanceof AssistantMessage || last instanceof ToolMessage)) {
            throw new InvalidRequestException(
                    "messages[0].role", "Conversation must start with a user message or system message");
        }
        if (messages.size() > 1) {
            checkLast(last, "messages[" + (messages.size() - 1) + "].role", continueFinal);
        }
        for (int i = 1; i < messages.size(); i++) {
            Role previous = Role.of(messages.get(i - 1));
            Role role = Role.of(messages.get(i));
            if (!previous.successors().contains(role)) {
                throw new InvalidRequestException(
                        "messages[" + i + "].role",
                        "Unexpected role '" + role.label() + "' after role '" + previous.label() + "'");
            }
        }
        checkCallsAnswered(messages);
    }

    private static void checkLast(Message last, String param, boolean continueFinal) {
        boolean isOpen = last instanceof AssistantMessage answer && !answer.prefix();
        if (isOpen && !continueFinal) {
            throw new InvalidRequestException(
                    param,
                    "Expected last role User or Tool (or Assistant with prefix or continue_final_message set to True)"
                            + " for serving but got assistant");
        }
        if (continueFinal && !isOpen) {
            throw new InvalidRequestException(
                    param, "Expected last role Assistant with prefix False for continue_final_message");
        }
    }

    /// Counts only, as the original: ids are not compared, and calls open at the end are not an error.
    private static void checkCallsAnswered(List<Message> messages) {
        int open = 0;
        for (int i = 1; i < messages.size(); i++) {
            Message message = messages.get(i);
            if (message instanceof ToolMessage) {
                open--;
            } else if (message instanceof AssistantMessage answer) {
                if (open != 0) {
                    throw new InvalidRequestException(
                            "messages[" + i + "]", "Not the same number of function calls and responses");
                }
                open = answer.toolCalls().size();
            }
        }
    }

    private void checkContent(Message message, String param, boolean isLast) {
        switch (message) {
            case UserMessage _, SystemMessage _ -> {}
            case AssistantMessage answer -> checkAnswer(answer, param, isLast);
            case ToolMessage result -> checkResult(result, param);
        }
    }

    private void checkAnswer(AssistantMessage answer, String param, boolean isLast) {
        String content = answer.content();
        boolean hasContent = content != null && !content.isEmpty();
        if (hasContent == !answer.toolCalls().isEmpty()) {
            throw new InvalidRequestException(
                    param, "Assistant message must have either content or tool_calls, but not both.");
        }
        for (int i = 0; i < answer.toolCalls().size(); i++) {
            ToolCall call = answer.toolCalls().get(i);
            String id = call.id();
            if (version == TokenizerVersion.V3 && id != null && !id.equals(ToolCall.NO_ID)) {
                checkId(id, param + ".tool_calls[" + i + "].id");
            }
            checkName(call.name(), param + ".tool_calls[" + i + "].function.name");
        }
        if (answer.prefix() && !isLast) {
            throw new InvalidRequestException(
                    param + ".prefix", "Assistant message with prefix True must be last message");
        }
    }

    private void checkResult(ToolMessage result, String param) {
        String name = result.name();
        if (name != null) {
            checkName(name, param + ".name");
        }
        if (version == TokenizerVersion.V3) {
            String id = result.toolCallId();
            if (id == null) {
                throw new InvalidRequestException(param + ".tool_call_id", "Tool call id has to be defined.");
            }
            checkId(id, param + ".tool_call_id");
        }
    }

    private static void checkId(String id, String param) {
        if (!CALL_ID.matcher(id).matches()) {
            throw new InvalidRequestException(
                    param, "Tool call id was " + id + " but must be a-z, A-Z, 0-9, with a length of 9.");
        }
    }

    private static void checkName(String name, String param) {
        if (!FUNCTION_NAME.matcher(name).matches()) {
            throw new InvalidRequestException(
                    param,
                    "Function name was " + name + " but must be a-z, A-Z, 0-9, or contain underscores and dashes,"
                            + " with a maximum length of 64.");
        }
    }
}

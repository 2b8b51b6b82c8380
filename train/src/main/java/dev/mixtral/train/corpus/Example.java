package dev.mixtral.train.corpus;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.UserMessage;
import java.util.ArrayList;
import java.util.List;

/// One conversation, or one plain text, to learn from. Immutable.
///
/// @param skill the skill that wrote it, one of [CorpusGenerator#skills()]
/// @param messages the conversation; the last message is the assistant's answer. Plain text is one assistant message
/// @param tools the functions on offer; empty for most
/// @param check how an answer to it is scored
public record Example(String skill, List<Message> messages, List<ToolDefinition> tools, Check check) {
    public Example {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
        if (messages.isEmpty() || !(messages.getLast() instanceof AssistantMessage)) {
            throw new IllegalArgumentException("an example ends with the assistant's answer: " + messages);
        }
    }

    /// A question and its answer.
    static Example of(String skill, Check check, String question, String answer) {
        return new Example(skill, List.of(Message.user(question), Message.assistant(answer)), List.of(), check);
    }

    /// A question and its answer under a system prompt.
    static Example of(String skill, Check check, String system, String question, String answer) {
        return new Example(
                skill,
                List.of(Message.system(system), Message.user(question), Message.assistant(answer)),
                List.of(),
                check);
    }

    /// Plain text, learned without a prompt.
    static Example text(String skill, String text) {
        return new Example(skill, List.of(Message.assistant(text)), List.of(), Check.NONE);
    }

    /// Returns whether this is plain text rather than a conversation.
    public boolean isText() {
        return messages.size() == 1;
    }

    /// Returns whether [Scorer] can score an answer.
    public boolean checkable() {
        return check != Check.NONE;
    }

    /// Returns everything before the answer.
    public List<Message> prompt() {
        return messages.subList(0, messages.size() - 1);
    }

    /// Returns the expected answer.
    public AssistantMessage answer() {
        return (AssistantMessage) messages.getLast();
    }

    /// Returns the same example under another skill's name.
    Example as(String otherSkill) {
        return new Example(otherSkill, messages, tools, check);
    }

    /// Returns what the user said, in order; for plain text the text itself.
    List<String> userTexts() {
        var texts = new ArrayList<String>();
        for (Message message : messages) {
            if (message instanceof UserMessage(var content)) {
                texts.add(content);
            } else if (isText() && message instanceof AssistantMessage assistant && assistant.content() != null) {
                texts.add(assistant.content());
            }
        }
        return texts;
    }

    /// Returns the system prompt, or the empty string.
    String system() {
        return messages.getFirst() instanceof SystemMessage(var content) ? content : "";
    }
}

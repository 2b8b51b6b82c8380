package dev.mixtral.train.data;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.JsonNodeFactory;

class ConversationCheckTest {
    private static final Message USER = Message.user("q");
    private static final Message ANSWER = Message.assistant("a");
    private static final List<ToolDefinition> TOOLS =
            List.of(new ToolDefinition("add", "", JsonNodeFactory.instance.objectNode()));

    private static Message call(String id, String name, String arguments) {
        return new AssistantMessage(null, List.of(new ToolCall(id, name, arguments)), false);
    }

    private static Message result(String id) {
        return new ToolMessage("3", id, null);
    }

    private static void check(Message... messages) {
        ConversationCheck.check(List.of(messages), TOOLS, Set.of());
    }

    @Test
    void acceptsWhatTheFormatsHave() {
        assertThatCode(() -> {
                    check(USER, ANSWER);
                    check(Message.system("s"), USER, ANSWER, USER, ANSWER);
                    check(USER, call("1", "add", "{}"), result("1"), ANSWER);
                    check(USER, call("1", "add", "{}"));
                })
                .doesNotThrowAnyException();
    }

    @Test
    void refusesEverythingElseByThePlace() {
        refused("messages[1]: a user message after a user message", USER, USER, ANSWER);
        refused("messages[2]: an assistant message after an assistant message", USER, ANSWER, ANSWER);
        refused("messages[2]: a system message may only come first", USER, ANSWER, Message.system("s"), USER, ANSWER);
        refused("messages[0]: the content is empty", Message.user(" "), ANSWER);
        refused("messages[1]: a tool message that answers no call", USER, result("1"), ANSWER);
        refused("messages[2]: a tool message that answers no call", USER, call("1", "add", "{}"), result("2"), ANSWER);
        refused("messages[2]: calls of tools before it have no results", USER, call("1", "add", "{}"), ANSWER);
        refused("messages[1]: calls subtract, which 'tools' does not offer", USER, call("1", "subtract", "{}"));
        refused("messages[1]: the arguments of add are no JSON object", USER, call("1", "add", "[1"));
        refused("messages[0]: the last message must be the assistant's, got a user message", USER);
    }

    private static void refused(String fault, Message... messages) {
        assertThatThrownBy(() -> check(messages)).hasMessageContaining(fault);
    }

    @Test
    void refusesAConversationWithNothingToLearn() {
        assertThatThrownBy(() -> ConversationCheck.check(List.of(USER, ANSWER), List.of(), Set.of(1)))
                .hasMessageContaining("nothing to learn");
    }
}

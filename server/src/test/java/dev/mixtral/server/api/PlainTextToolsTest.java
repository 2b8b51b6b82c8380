package dev.mixtral.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import dev.mixtral.server.wire.Json;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Tools of models that have no tokens for them.
class PlainTextToolsTest {
    private static final String CHAT = "/v1/chat/completions";

    @Test
    void toolsCallsAndResultsBecomeText() {
        List<Message> messages = List.of(
                new SystemMessage("Be brief."),
                new UserMessage("Weather?"),
                new AssistantMessage("Well.", List.of(new ToolCall("a", "f", "{\"x\":1}")), false),
                new ToolMessage("sun", "a", null));
        List<ToolDefinition> tools =
                List.of(new ToolDefinition("f", "d", Json.object().put("type", "object")));
        List<Message> rewritten = PlainTextTools.rewrite(messages, tools);
        assertThat(rewritten.get(0)).isEqualTo(messages.get(0));
        assertThat(rewritten.get(1))
                .isInstanceOfSatisfying(
                        SystemMessage.class,
                        said -> assertThat(said.content())
                                .contains("[TOOL_CALLS]")
                                .endsWith(
                                        "[AVAILABLE_TOOLS] [{\"type\": \"function\", \"function\": {\"name\": \"f\", \"description\": \"d\","
                                                + " \"parameters\": {\"type\": \"object\"}}}] [/AVAILABLE_TOOLS]"));
        assertThat(rewritten.get(3))
                .isEqualTo(new AssistantMessage(
                        "Well.\n[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"x\": 1}, \"id\": \"a\"}]"));
        assertThat(rewritten.get(4))
                .isEqualTo(
                        new UserMessage("[TOOL_RESULTS] {\"content\": \"sun\", \"call_id\": \"a\"} [/TOOL_RESULTS]"));
        assertThat(PlainTextTools.rewrite(messages.subList(0, 2), List.of())).isEqualTo(messages.subList(0, 2));
    }

    private static Answer ask(boolean stream, String... pieces) throws Exception {
        ScriptedModel model = new ScriptedModel(Script.saying(pieces)).writingCallsAsText();
        try (TestServer server = TestServer.of(model.served())) {
            return server.post(
                    CHAT,
                    "{\"model\":\"scripted\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
                            + "\"tools\":[{\"function\":{\"name\":\"f\"}}],\"stream\":" + stream + "}");
        }
    }

    private static String text(Answer answer) {
        return answer.chunks().stream()
                .map(chunk -> chunk.at("/choices/0/delta/content").asString(""))
                .collect(Collectors.joining());
    }

    @Test
    void callsAreFoundAcrossPieces() throws Exception {
        String[] pieces = {"Let me see. [TO", "OL_CA", "LLS] [{\"name\": \"f\", \"argu", "ments\": {\"x\": 1}}]"};
        JsonNode choice = ask(false, pieces).json().at("/choices/0");
        assertThat(choice.path("finish_reason").asString()).isEqualTo("tool_calls");
        assertThat(choice.at("/message/content").asString()).isEqualTo("Let me see. ");
        assertThat(choice.at("/message/tool_calls/0/function/arguments").asString())
                .isEqualTo("{\"x\": 1}");
        Answer stream = ask(true, pieces);
        assertThat(text(stream)).isEqualTo("Let me see. ");
        assertThat(stream.text()).contains("\"name\":\"f\"").contains("\"finish_reason\":\"tool_calls\"");
    }

    @Test
    void whatIsNoCallStaysText() throws Exception {
        for (String[] pieces : new String[][] {
            {"a [", "TOOL", "S] b"},
            {"[TOOL_CALLS] no JSON"},
            {"ends with [TOOL_CAL"},
            {"[TOOL_CALLS]"},
            {"[[[TOOL", "_"}
        }) {
            String whole = String.join("", pieces);
            assertThat(ask(false, pieces)
                            .json()
                            .at("/choices/0/message/content")
                            .asString())
                    .isEqualTo(whole);
            Answer stream = ask(true, pieces);
            assertThat(text(stream)).isEqualTo(whole);
            assertThat(stream.text()).contains("\"finish_reason\":\"stop\"").doesNotContain("tool_calls\":");
        }
    }
}

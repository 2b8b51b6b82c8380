package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.error.EngineFailedException;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.ScriptedModel.Step;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The subset of OpenAI's Responses API.
class ResponsesTest {
    private static final String PATH = "/v1/responses";

    private static Answer ask(Script script, String fields) throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(script).served())) {
            return server.post(PATH, "{\"model\":\"scripted\"," + fields + "}");
        }
    }

    private static List<String> types(Answer answer) {
        List<JsonNode> events = answer.chunks();
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).path("sequence_number").asInt()).isEqualTo(i);
        }
        List<String> named = answer.text()
                .lines()
                .filter(line -> line.startsWith("event: "))
                .map(line -> line.substring("event: ".length()))
                .toList();
        assertThat(named)
                .isEqualTo(events.stream()
                        .map(event -> event.path("type").asString())
                        .toList());
        return named;
    }

    @Test
    void textHasItsEvents() throws Exception {
        Answer answer = ask(Script.saying("Hel", "lo"), "\"input\":\"Hi\",\"stream\":true");
        assertThat(types(answer))
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.completed");
        assertThat(answer.text()).doesNotContain("[DONE]");
        JsonNode last = answer.chunks().getLast().path("response");
        assertThat(last.at("/output/0/content/0/text").asString()).isEqualTo("Hello");
        assertThat(last.path("id").asString()).startsWith("resp_");
        assertThat(last.at("/usage/total_tokens").asInt()).isEqualTo(12);
    }

    @Test
    void callsHaveTheirs() throws Exception {
        Script script = Script.of(
                new Started(0),
                ScriptedModel.text("See."),
                new ToolCalls(List.of(new ToolCall(null, "f", "{\"x\":1}"))),
                ScriptedModel.end(FinishReason.TOOL_CALLS));
        Answer answer = ask(
                script,
                "\"input\":\"Hi\",\"stream\":true,\"tools\":[{\"type\":\"web_search\"},{\"type\":\"function\",\"name\":\"f\"}]");
        assertThat(types(answer))
                .containsSubsequence(
                        "response.output_text.done",
                        "response.output_item.done",
                        "response.output_item.added",
                        "response.function_call_arguments.delta",
                        "response.function_call_arguments.done",
                        "response.output_item.done",
                        "response.completed");
        JsonNode call = answer.chunks().getLast().at("/response/output/1");
        assertThat(call.path("type").asString()).isEqualTo("function_call");
        assertThat(call.path("arguments").asString()).isEqualTo("{\"x\":1}");
        assertThat(call.path("call_id").asString()).matches("[a-zA-Z0-9]{9}");
    }

    @Test
    void aConversationIsReadFromItsItems() throws Exception {
        ScriptedModel model = new ScriptedModel(Script.saying("ok"));
        try (TestServer server = TestServer.of(model.served())) {
            server.post(PATH, """
                    {"model":"scripted","instructions":"Be brief.","input":[
                     {"role":"user","content":[{"type":"input_text","text":"Weather?"}]},
                     {"type":"reasoning","summary":[]},
                     {"type":"function_call","call_id":"a","name":"f","arguments":"{}"},
                     {"type":"function_call","call_id":"b","name":"f","arguments":"{}"},
                     {"type":"function_call_output","call_id":"b","output":"rain"},
                     {"type":"function_call_output","call_id":"a","output":[{"type":"output_text","text":"sun"}]}]}""");
            server.post("/v1/chat/completions", """
                    {"model":"scripted","messages":[{"role":"system","content":"Be brief."},
                     {"role":"user","content":"Weather?"},
                     {"role":"assistant","content":null,"tool_calls":[
                      {"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"f","arguments":"{}"}}]},
                     {"role":"tool","tool_call_id":"b","content":"rain"},{"role":"tool","tool_call_id":"a","content":"sun"}]}""");
        }
        var requests = List.copyOf(model.requests);
        assertThat(requests.get(0).prompt()).isEqualTo(requests.get(1).prompt());
    }

    @Test
    void whatIsCutOrFailsSaysSo() throws Exception {
        Script cut = Script.of(new Started(0), ScriptedModel.text("x"), ScriptedModel.end(FinishReason.LENGTH));
        JsonNode incomplete = ask(cut, "\"input\":\"Hi\"").json();
        assertThat(incomplete.path("status").asString()).isEqualTo("incomplete");
        assertThat(incomplete.at("/incomplete_details/reason").asString()).isEqualTo("max_output_tokens");
        assertThat(types(ask(cut, "\"input\":\"Hi\",\"stream\":true"))).endsWith("response.incomplete");
        Script failing = Script.of(new Started(0), ScriptedModel.text("x"))
                .then(new Step.Fail(new EngineFailedException(new IllegalStateException("boom"))));
        Answer failed = ask(failing, "\"input\":\"Hi\",\"stream\":true");
        assertThat(types(failed)).endsWith("response.failed");
        assertThat(failed.text()).doesNotContain("boom");
    }

    @Test
    void whatCannotBeDoneIsNamedInItsOwnWords() throws Exception {
        Script script = Script.saying("x");
        for (String[] wrong : new String[][] {
            {"\"input\":\"x\",\"previous_response_id\":\"resp_1\"", "previous_response_id"},
            {"\"input\":\"x\",\"background\":true", "background"},
            {"\"x\":1", "input"},
            {"\"input\":[]", "input"},
            {"\"input\":[{\"role\":\"wizard\",\"content\":\"x\"}]", "input[0].role"},
            {"\"input\":[{\"type\":\"item_reference\",\"id\":\"x\"}]", "input[0].type"},
            {"\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]", "input[0].content"},
            {"\"input\":\"x\",\"max_output_tokens\":0", "max_output_tokens"},
            {"\"input\":\"x\",\"text\":{\"format\":{\"type\":\"yaml\"}}", "text.format.type"},
            {"\"input\":\"x\",\"temperature\":9", "temperature"}
        }) {
            Answer answer = ask(script, wrong[0]);
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.json().at("/error/param").asString()).isEqualTo(wrong[1]);
        }
    }
}

package dev.mixtral.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.grammar.GrammarCompiler;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import dev.mixtral.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Calls of a model that has no token for them: the embedded one, which is kept from its own.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PlainTextConstraintTest {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final String CHAT = "/v1/chat/completions";
    private static final String TOOLS = "'messages':[{'role':'user','content':'What is the weather in Rome?'}],'tools':"
            + "[{'function':{'name':'get_weather','parameters':{'type':'object','properties':{'city':{'enum':['Rome','Oslo']}},"
            + "'required':['city'],'additionalProperties':false}}},{'function':{'name':'now'}}]";

    private LoadedModel model;
    private TestServer server;

    /// The model with another way to call.
    private record InWords(ChatModel model) implements ChatModel {
        @Override
        public Tokenizer tokenizer() {
            return model.tokenizer();
        }

        @Override
        public int contextLength() {
            return model.contextLength();
        }

        @Override
        public int vocabSize() {
            return model.vocabSize();
        }

        @Override
        public int numExpertsPerToken() {
            return model.numExpertsPerToken();
        }

        @Override
        public String fingerprint() {
            return model.fingerprint();
        }

        @Override
        public GrammarCompiler grammars() {
            return model.grammars();
        }

        @Override
        public boolean writesCallsAsText() {
            return true;
        }

        @Override
        public int[] renderChat(List<Message> messages, List<ToolDefinition> tools) {
            return model.renderChat(PlainTextTools.rewrite(messages, tools), List.of());
        }

        @Override
        public List<Choice> generate(List<GenerationRequest> requests) {
            return model.generate(requests);
        }

        @Override
        public List<TokenLogprob> promptLogprobs(int[] ids, int top) {
            return model.promptLogprobs(ids, top);
        }
    }

    @BeforeAll
    void start() throws Exception {
        Path folder = Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny");
        model = LoadedModel.load(new ModelSpec(folder, "tiny", List.of()), EngineConfig.defaults());
        ServedModel tiny = model.served();
        server = TestServer.of(new ServedModels(List.of(
                new ServedModel("tiny", List.of(), tiny.created(), "", "f32", "tiny", new InWords(tiny.model())))));
    }

    @AfterAll
    void stop() {
        server.close();
        model.close();
    }

    private Answer post(String fields) throws Exception {
        Answer answer = server.post(CHAT, ("{'model':'tiny'," + fields + "}").replace('\'', '"'));
        assertThat(answer.status()).describedAs(answer.text()).isEqualTo(200);
        return answer;
    }

    private static void assertFits(JsonNode call) {
        JsonNode arguments = MAPPER.readTree(call.at("/function/arguments").asString());
        switch (call.at("/function/name").asString()) {
            case "get_weather" -> assertThat(arguments.path("city").asString()).isIn("Rome", "Oslo");
            case "now" ->
                assertThat(arguments.isObject() && arguments.isEmpty()).isTrue();
            default -> throw new AssertionError("no such tool: " + call);
        }
    }

    @Test
    void forcedCallsAreWrittenAsText() throws Exception {
        for (int seed = 0; seed < 10; seed++) {
            String fields = TOOLS + ",'temperature':1.5,'parallel_tool_calls':false,'seed':" + seed + ",'tool_choice':";
            JsonNode required = post(fields + "'required'").json().at("/choices/0");
            assertThat(required.path("finish_reason").asString()).isEqualTo("tool_calls");
            assertThat(required.at("/message/content").isNull()).isTrue();
            assertThat(required.at("/message/tool_calls")).hasSize(1);
            assertFits(required.at("/message/tool_calls/0"));
            JsonNode named = post(fields + "{'function':{'name':'now'}}").json().at("/choices/0/message/tool_calls/0");
            assertThat(named.at("/function/name").asString()).isEqualTo("now");
            assertFits(named);
            Answer stream = post(fields + "'required','stream':true");
            String arguments = stream.chunks().stream()
                    .map(chunk -> chunk.at("/choices/0/delta/tool_calls/0/function/arguments")
                            .asString(""))
                    .collect(Collectors.joining());
            assertThat(arguments)
                    .isEqualTo(required.at("/message/tool_calls/0/function/arguments")
                            .asString());
            assertThat(stream.chunks().getLast().at("/choices/0/finish_reason").asString())
                    .isEqualTo("tool_calls");
        }
    }

    @Test
    void whatFollowsATriggerIsACall() throws Exception {
        int numCalls = 0;
        for (int seed = 0; seed < 20; seed++) {
            JsonNode choice = post(TOOLS + ",'temperature':1,'max_tokens':150,'seed':" + seed)
                    .json()
                    .at("/choices/0");
            String content = choice.at("/message/content").asString("");
            assertThat(content).doesNotContain("[TOOL_CALLS]");
            if (choice.path("finish_reason").asString().equals("tool_calls")) {
                choice.at("/message/tool_calls").forEach(PlainTextConstraintTest::assertFits);
                numCalls++;
            }
        }
        // So small a model hardly follows words about tools; what it does must be in form all the same.
        assertThat(numCalls).isBetween(0, 20);
    }

    @Test
    void callsThatAreNotWantedAreNotBegun() throws Exception {
        int[] bracket = model.served().model().tokenizer().encodeContinuation("]");
        assertThat(bracket).hasSize(1);
        String fields = "'messages':[{'role':'user','content':'Hi'},{'role':'assistant','content':'See: [TOOL_CALLS',"
                + "'prefix':true}],'logit_bias':{'" + bracket[0] + "':100},'temperature':0,'max_tokens':3";
        String tools = TOOLS.substring(TOOLS.indexOf("'tools'"));
        // Without tools these are letters like others, and a text that the client itself has begun is the client's.
        assertThat(content(post(fields))).isEqualTo("See: [TOOL_CALLS]]]");
        assertThat(content(post(fields + "," + tools + ",'tool_choice':'none'")))
                .startsWith("See: [TOOL_CALLS")
                .doesNotContain("[TOOL_CALLS]");
        assertThat(content(post(fields.replace("CALLS", "CALLS] ") + "," + tools + ",'tool_choice':'none'")))
                .isEqualTo("See: [TOOL_CALLS] ]]]");
    }

    private static String content(Answer answer) {
        return answer.json().at("/choices/0/message/content").asString();
    }

    @Test
    void aFormOrACall() throws Exception {
        for (int seed = 0; seed < 10; seed++) {
            JsonNode choice = post(TOOLS + ",'temperature':1.5,'seed':" + seed
                            + ",'response_format':{'type':'enum','enum':['warm','cold']}")
                    .json()
                    .at("/choices/0");
            if (choice.path("finish_reason").asString().equals("tool_calls")) {
                choice.at("/message/tool_calls").forEach(PlainTextConstraintTest::assertFits);
            } else {
                assertThat(choice.at("/message/content").asString()).isIn("warm", "cold");
            }
        }
    }

    @Test
    void stopTextsDoNotEndArguments() throws Exception {
        JsonNode choice = post(TOOLS
                        + ",'temperature':0,'stop':['Rome','Oslo','name'],'tool_choice':{'function':{'name':"
                        + "'get_weather'}}")
                .json()
                .at("/choices/0");
        assertThat(choice.path("finish_reason").asString()).isEqualTo("tool_calls");
        assertFits(choice.at("/message/tool_calls/0"));
    }

    @Test
    void aCallThatIsCutOffSaysSo() throws Exception {
        JsonNode choice = post(TOOLS
                        + ",'temperature':0,'max_tokens':30,'tool_choice':{'function':{'name':'get_weather'}}")
                .json()
                .at("/choices/0");
        assertThat(choice.path("finish_reason").asString()).isEqualTo("length");
        assertThat(choice.at("/message/content").asString("")).doesNotContain("TOOL");
    }
}

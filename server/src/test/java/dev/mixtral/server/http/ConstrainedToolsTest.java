package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.mixtral.server.testing.EmbeddedServer;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Calls of the embedded model: whatever it draws, they can be read and fit their tools.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConstrainedToolsTest {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final String CHAT = "/v1/chat/completions";
    private static final String[] MISTRAL = {"user-agent", "mistral-client-typescript/2.7.0"};
    /// More for a longer run: `-Dtests.calls=1000`.
    private static final int NUM_CALLS = Integer.getInteger("tests.calls", 60);

    private static final int CALLS_AT_ONCE = 10;

    /// Parameters of twenty tools.
    private static final List<String> PARAMETERS = List.of(
            "{'type':'object','properties':{'city':{'type':'string','maxLength':12}},'required':['city']}",
            "{'type':'object','properties':{'a':{'type':'number','minimum':0,'maximum':10},'b':{'type':'integer'}},"
                    + "'required':['a','b'],'additionalProperties':false}",
            "{'type':'object','properties':{}}",
            "{'type':'object','properties':{'unit':{'enum':['celsius','kelvin',null]}},'additionalProperties':false}",
            "{'type':'object','properties':{'day':{'type':'string','format':'date'}},'required':['day'],"
                    + "'additionalProperties':false}",
            "{'type':'object','properties':{'to':{'type':'array','items':{'type':'string','maxLength':6},'minItems':1,"
                    + "'maxItems':3}},'required':['to'],'additionalProperties':false}",
            "{'type':'object','properties':{'on':{'type':'boolean'}},'required':['on'],'additionalProperties':false}",
            "{'type':'object','properties':{'id':{'type':'string','pattern':'^[A-Z]{2}[0-9]{3}$'}},'required':['id'],"
                    + "'additionalProperties':false}",
            "{'$ref':'#/$defs/t','$defs':{'t':{'type':'object','properties':{'next':{'$ref':'#/$defs/t'},'v':{'const':1}},"
                    + "'required':['v'],'additionalProperties':false}}}",
            "{'type':'object','oneOf':[{'properties':{'x':{'const':1}},'required':['x']},{'properties':{'y':{'const':2}},"
                    + "'required':['y']}],'properties':{'x':{},'y':{}},'additionalProperties':false}",
            "{'type':'object','additionalProperties':{'type':'integer','minimum':0,'maximum':9},'maxProperties':2,"
                    + "'propertyNames':{'maxLength':4}}",
            "{'type':'object','properties':{'p':{'type':'object','properties':{'q':{'type':'null'}},'required':['q'],"
                    + "'additionalProperties':false}},'required':['p'],'additionalProperties':false}",
            "{'type':'object','properties':{'n':{'type':'integer','multipleOf':5,'minimum':0,'maximum':100}},"
                    + "'required':['n'],'additionalProperties':false}",
            "{'type':'object','properties':{'tags':{'type':'array','uniqueItems':true,'items':{'enum':['a','b','c']},"
                    + "'minItems':2}},'required':['tags'],'additionalProperties':false}",
            "{'type':'object','properties':{'s':{'type':'string','minLength':2,'maxLength':4}},'required':['s'],"
                    + "'additionalProperties':false}",
            "{'type':'object','properties':{'k':{'not':{'type':['string','object','array']}}},'required':['k'],"
                    + "'additionalProperties':false}",
            "{'type':'object','properties':{'mode':{'type':'string','enum':['r','w']},'path':{'type':'string',"
                    + "'maxLength':8}},'required':['mode'],'dependentRequired':{'mode':['path']},'additionalProperties':false}",
            "{'type':'object','patternProperties':{'^x[0-9]$':{'type':'boolean'}},'additionalProperties':false,"
                    + "'minProperties':1,'maxProperties':2}",
            "{'type':'object','properties':{'if':{'type':'boolean'},'then':{'type':'integer','minimum':0,'maximum':5}},"
                    + "'required':['if'],'if':{'properties':{'if':{'const':true}}},'then':{'required':['then']},"
                    + "'additionalProperties':false}",
            "{'type':'object','properties':{'row':{'type':'array','prefixItems':[{'type':'integer','minimum':1,'maximum':3},"
                    + "{'const':'x'}],'items':false,'minItems':2}},'required':['row'],'additionalProperties':false}");

    private final Map<String, Schema> validators = new HashMap<>();
    private EmbeddedServer embedded;
    private TestServer server;

    @BeforeAll
    void start() throws Exception {
        embedded = EmbeddedServer.start();
        server = embedded.server();
        SchemaRegistry registry = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
        for (int i = 0; i < PARAMETERS.size(); i++) {
            validators.put("tool_" + i, registry.getSchema(json(PARAMETERS.get(i))));
        }
    }

    @AfterAll
    void stop() {
        embedded.close();
    }

    private static JsonNode json(String text) {
        return MAPPER.readTree(text.replace('\'', '"'));
    }

    private static ArrayNode twentyTools() {
        ArrayNode tools = MAPPER.createArrayNode();
        for (int i = 0; i < PARAMETERS.size(); i++) {
            ObjectNode function = MAPPER.createObjectNode().put("name", "tool_" + i);
            function.set("parameters", json(PARAMETERS.get(i)));
            tools.addObject().put("type", "function").set("function", function);
        }
        return tools;
    }

    private static ObjectNode request(String question) {
        ObjectNode request = MAPPER.createObjectNode().put("model", "tiny");
        request.putArray("messages").addObject().put("role", "user").put("content", question);
        return request;
    }

    private JsonNode ask(ObjectNode request) throws Exception {
        Answer answer = server.post(CHAT, request.toString());
        assertThat(answer.status()).describedAs(answer.text()).isEqualTo(200);
        return answer.json();
    }

    private void assertFits(JsonNode call) {
        String name = call.at("/function/name").asString();
        String arguments = call.at("/function/arguments").asString();
        Schema validator = Objects.requireNonNull(validators.get(name), name);
        assertThat(validator.validate(MAPPER.readTree(arguments)))
                .as("%s(%s)", name, arguments)
                .isEmpty();
    }

    @Test
    void forcedCallsCanBeReadAndFitTheirTools() throws Exception {
        ArrayNode tools = twentyTools();
        Set<String> called = new HashSet<>();
        for (int i = 0; i < NUM_CALLS / CALLS_AT_ONCE; i++) {
            ObjectNode request = request("Do something.");
            request.set("tools", tools);
            request.put("temperature", 1.2)
                    .put("seed", i)
                    .put("n", CALLS_AT_ONCE)
                    .put("parallel_tool_calls", false);
            String name = "tool_" + (i / 2) % PARAMETERS.size();
            if (i % 2 == 0) {
                request.put("tool_choice", "required");
            } else {
                request.putObject("tool_choice")
                        .put("type", "function")
                        .putObject("function")
                        .put("name", name);
            }
            for (JsonNode choice : ask(request).path("choices")) {
                assertThat(choice.path("finish_reason").asString()).isEqualTo("tool_calls");
                assertThat(choice.at("/message/content").isNull()).isTrue();
                JsonNode calls = choice.at("/message/tool_calls");
                assertThat(calls).hasSize(1);
                assertFits(calls.get(0));
                called.add(calls.at("/0/function/name").asString());
                if (i % 2 == 1) {
                    assertThat(calls.at("/0/function/name").asString()).isEqualTo(name);
                }
            }
        }
        assertThat(called).hasSizeGreaterThan(Math.min(NUM_CALLS / 40, PARAMETERS.size() - 2));
    }

    @Test
    void aStreamHasTheSameCallsPieceByPiece() throws Exception {
        for (int seed = 0; seed < 5; seed++) {
            ObjectNode request = request("Do something.");
            request.set("tools", twentyTools());
            request.put("temperature", 1.2).put("seed", seed).put("tool_choice", "required");
            JsonNode calls = ask(request).at("/choices/0/message/tool_calls");
            request.put("stream", true);
            List<JsonNode> deltas = new ArrayList<>();
            Answer stream = server.post(CHAT, request.toString());
            for (JsonNode chunk : stream.chunks()) {
                chunk.at("/choices/0/delta/tool_calls").forEach(deltas::add);
            }
            assertThat(stream.chunks().getLast().at("/choices/0/finish_reason").asString())
                    .isEqualTo("tool_calls");
            for (int i = 0; i < calls.size(); i++) {
                assertFits(calls.get(i));
                int index = i;
                List<JsonNode> own = deltas.stream()
                        .filter(delta -> delta.path("index").asInt() == index)
                        .toList();
                assertThat(own.getFirst().path("id")).isEqualTo(calls.get(i).path("id"));
                assertThat(own.getFirst().at("/function/name"))
                        .isEqualTo(calls.get(i).at("/function/name"));
                assertThat(own.subList(1, own.size()))
                        .noneMatch(delta ->
                                delta.has("id") || delta.at("/function").has("name"));
                assertThat(joined(own))
                        .isEqualTo(calls.get(i).at("/function/arguments").asString());
            }
            List<JsonNode> whole = new ArrayList<>();
            for (JsonNode chunk : server.post(CHAT, request.toString(), MISTRAL).chunks()) {
                chunk.at("/choices/0/delta/tool_calls").forEach(whole::add);
            }
            assertThat(whole).hasSize(calls.size());
            for (int i = 0; i < whole.size(); i++) {
                assertThat(whole.get(i).path("index").asInt()).isEqualTo(i);
                assertThat(whole.get(i).path("function")).isEqualTo(calls.get(i).path("function"));
            }
        }
    }

    private static String joined(List<JsonNode> deltas) {
        StringBuilder text = new StringBuilder();
        deltas.forEach(delta -> text.append(delta.at("/function/arguments").asString("")));
        return text.toString();
    }

    private static ObjectNode weather() {
        ObjectNode request = request("What is the weather in Rome?");
        ObjectNode function =
                MAPPER.createObjectNode().put("name", "get_weather").put("description", "Weather of a city");
        function.set(
                "parameters", json("{'type':'object','properties':{'city':{'type':'string'}},'required':['city']}"));
        ObjectNode other = function.deepCopy().put("name", "get_time").put("description", "Time in a city");
        ArrayNode tools = request.putArray("tools");
        tools.addObject().set("function", function);
        tools.addObject().set("function", other);
        // Fixes the ids of calls, too.
        return request.put("temperature", 0).put("seed", 1);
    }

    @Test
    void argumentsComeBeforeTheyAreComplete() throws Exception {
        ObjectNode request = weather().put("stream", true);
        List<JsonNode> chunks = server.post(CHAT, request.toString()).chunks();
        long pieces = chunks.stream()
                .filter(chunk ->
                        chunk.at("/choices/0/delta/tool_calls/0/function").has("arguments"))
                .count();
        assertThat(pieces).describedAs("the name, and the arguments in several").isGreaterThan(3);
    }

    @Test
    void choicesMeanWhatTheySay() throws Exception {
        JsonNode named = ask(weather().set("tool_choice", json("{'function':{'name':'get_time'}}")))
                .at("/choices/0");
        assertThat(named.at("/message/tool_calls/0/function/name").asString()).isEqualTo("get_time");
        assertThat(named.path("finish_reason").asString()).isEqualTo("tool_calls");
        JsonNode any = ask(weather().put("tool_choice", "any")).at("/choices/0");
        assertThat(any.at("/message/tool_calls")).isNotEmpty();
        JsonNode none = ask(weather().put("tool_choice", "none")).at("/choices/0");
        assertThat(none.path("message").has("tool_calls")).isFalse();
        JsonNode allowed = ask(weather()
                        .set(
                                "tool_choice",
                                json(
                                        "{'type':'allowed_tools','allowed_tools':{'mode':'required','tools':[{'type':'function',"
                                                + "'function':{'name':'get_time'}}]}}")))
                .at("/choices/0");
        assertThat(allowed.at("/message/tool_calls/0/function/name").asString()).isEqualTo("get_time");
        ObjectNode legacy = weather();
        legacy.remove("tools");
        legacy.putArray("functions").add(weather().at("/tools/1/function"));
        legacy.putObject("function_call").put("name", "get_time");
        JsonNode old = ask(legacy).at("/choices/0");
        assertThat(old.path("finish_reason").asString()).isEqualTo("function_call");
        assertThat(old.at("/message/function_call/name").asString()).isEqualTo("get_time");
    }

    @Test
    void aFormHoldsForAnswersInWords() throws Exception {
        ObjectNode request = weather();
        request.set(
                "response_format", json("{'type':'json_schema','json_schema':{'schema':{'enum':['warm','cold']}}}"));
        assertThat(ask(request)
                        .at("/choices/0/message/tool_calls/0/function/name")
                        .asString())
                .isEqualTo("get_weather");
        request.putObject("logit_bias")
                .put(
                        String.valueOf(embedded.model()
                                .engine()
                                .tokenizer()
                                .controlId("[TOOL_CALLS]")
                                .orElseThrow()),
                        -100);
        assertThat(ask(request).at("/choices/0/message/content").asString()).isIn("\"warm\"", "\"cold\"");
        // A forced call has no words.
        request.put("tool_choice", "required");
        request.remove("logit_bias");
        assertThat(ask(request).at("/choices/0/message/tool_calls")).isNotEmpty();
    }

    @Test
    void aCallThatIsCutOffSaysSo() throws Exception {
        ObjectNode request = weather().put("tool_choice", "required").put("max_tokens", 16);
        JsonNode choice = ask(request).at("/choices/0");
        assertThat(choice.path("finish_reason").asString()).isEqualTo("length");
        String partial = choice.at("/message/tool_calls/0/function/arguments").asString();
        assertThat(partial).startsWith("{").doesNotEndWith("}");
        Answer stream = server.post(CHAT, request.put("stream", true).toString());
        assertThat(stream.chunks().getLast().at("/choices/0/finish_reason").asString())
                .isEqualTo("length");
        assertThat(joined(stream.chunks().stream()
                        .flatMap(
                                chunk -> chunk.at("/choices/0/delta/tool_calls").valueStream())
                        .toList()))
                .isEqualTo(partial);
    }

    /// Plays a program that answers every call until the model answers in words.
    @Test
    void aLoopOfCallsAndResultsEnds() throws Exception {
        int numUnderstood = 0;
        for (String city : List.of("Rome", "Vienna", "Oslo", "Madrid")) {
            ObjectNode request = weather();
            ((ArrayNode) request.path("tools")).remove(1);
            ArrayNode messages = request.putArray("messages");
            messages.addObject().put("role", "user").put("content", "What is the weather in " + city + "?");
            int turns = 0;
            JsonNode choice = ask(request).at("/choices/0");
            while (choice.path("finish_reason").asString().equals("tool_calls")) {
                assertThat(++turns).isLessThan(6);
                messages.add(choice.path("message"));
                for (JsonNode call : choice.at("/message/tool_calls")) {
                    assertThat(MAPPER.readTree(call.at("/function/arguments").asString())
                                    .path("city")
                                    .isString())
                            .isTrue();
                    messages.addObject()
                            .put("role", "tool")
                            .put("tool_call_id", call.path("id").asString())
                            .put("content", "{\"sky\": \"sunny\", \"degrees\": 20}");
                }
                choice = ask(request).at("/choices/0");
            }
            assertThat(turns).isPositive();
            assertThat(choice.path("finish_reason").asString()).isEqualTo("stop");
            assertThat(choice.at("/message/content").asString()).isNotBlank();
            numUnderstood += choice.at("/message/content").asString().contains("sunny") ? 1 : 0;
        }
        // The ids of calls are not those that this small model was trained on, which puts it off now and then.
        assertThat(numUnderstood).isPositive();
    }

    @Test
    void responsesTellCallsPieceByPiece() throws Exception {
        String body = "{'model':'tiny','input':'What is the weather in Rome?','temperature':0,'stream':true,'tools':"
                + "[{'type':'function','name':'get_weather','parameters':{'type':'object','properties':{'city':{'type':"
                + "'string'}},'required':['city']}}],'tool_choice':{'type':'allowed_tools','mode':'required','tools':"
                + "[{'type':'function','name':'get_weather'}]}}";
        List<JsonNode> events =
                server.post("/v1/responses", body.replace('\'', '"')).chunks();
        StringBuilder pieces = new StringBuilder();
        events.stream()
                .filter(event -> event.path("type").asString().equals("response.function_call_arguments.delta"))
                .forEach(event -> pieces.append(event.path("delta").asString()));
        JsonNode item = events.getLast().at("/response/output/0");
        assertThat(item.path("type").asString()).isEqualTo("function_call");
        assertThat(item.path("arguments").asString())
                .isEqualTo(pieces.toString())
                .contains("city");
        assertThat(item.path("status").asString()).isEqualTo("completed");
    }
}

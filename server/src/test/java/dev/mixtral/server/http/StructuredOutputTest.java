package dev.mixtral.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.testing.EmbeddedServer;
import dev.mixtral.server.testing.TestServer;
import dev.mixtral.server.testing.TestServer.Answer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Answers of the embedded model in forms that requests demand, drawn at a temperature at which it would not keep to
/// them by itself.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StructuredOutputTest {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final String CHAT = "/v1/chat/completions";
    private static final String HELLO = "'messages':[{'role':'user','content':'Who is Anna?'}],";
    private static final String PERSON = "{'type':'object','properties':{'name':{'type':'string','maxLength':8},"
            + "'age':{'type':'integer','minimum':1,'maximum':99}},'required':['name','age'],'additionalProperties':false}";

    private EmbeddedServer embedded;
    private TestServer server;

    @BeforeAll
    void start() throws Exception {
        embedded = EmbeddedServer.start();
        server = embedded.server();
    }

    @AfterAll
    void stop() {
        embedded.close();
    }

    private Answer post(String path, String fields) throws Exception {
        return server.post(path, ("{'model':'tiny'," + fields + "}").replace('\'', '"'));
    }

    private JsonNode ask(String path, String fields) throws Exception {
        Answer answer = post(path, fields);
        assertThat(answer.status()).describedAs(answer.text()).isEqualTo(200);
        return answer.json();
    }

    /// Asks in all ways, which must lead to the same text, and returns it.
    private String text(String form, long seed) throws Exception {
        String fields = HELLO + "'temperature':1.5,'seed':" + seed + "," + form;
        JsonNode whole = ask(CHAT, fields).at("/choices/0");
        assertThat(whole.path("finish_reason").asString()).isEqualTo("stop");
        String text = whole.at("/message/content").asString();
        Answer stream = post(CHAT, fields + ",'stream':true");
        assertThat(stream.chunks().stream()
                        .map(chunk -> chunk.at("/choices/0/delta/content").asString(""))
                        .collect(Collectors.joining()))
                .isEqualTo(text);
        assertThat(ask(CHAT, fields + ",'n':2").at("/choices/0/message/content").asString())
                .isEqualTo(text);
        return text;
    }

    private static void assertPerson(String text) {
        JsonNode person = MAPPER.readTree(text);
        assertThat(person).hasSize(2);
        assertThat(person.path("name").isString()).isTrue();
        assertThat(person.path("age").isInt()).isTrue();
        assertThat(person.path("age").asInt()).isBetween(1, 99);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "'response_format':{'type':'json_schema','json_schema':{'name':'p','strict':true,'schema':%s}}",
                "'response_format':{'type':'json_schema','json_schema':{'name':'p','strict':false,'schema':%s}}",
                "'response_format':{'type':'json_schema','json_schema':{'schema':%s}}",
                "'response_format':{'type':'json_object','schema':%s}",
                "'structured_outputs':{'json':%s}",
                "'guided_json':%s",
                "'json_schema':%s",
            })
    void everyWayToSendASchemaBinds(String form) throws Exception {
        for (long seed = 1; seed <= 3; seed++) {
            assertPerson(text(form.formatted(PERSON), seed));
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '~',
            value = {
                "'response_format':{'type':'json_schema','json_schema':{'schema':{'type':'string','enum':['good','bad']}}} ~ \"(good|bad)\"",
                "'response_format':{'type':'json_schema','json_schema':{'schema':{'enum':[1,null,'x']}}} ~ 1|null|\"x\"",
                "'response_format':{'type':'json_schema','json_schema':{'schema':{'type':'array','items':{'type':'boolean'},'minItems':2,'maxItems':2}}} ~ \\[\\s*(true|false)\\s*,\\s*(true|false)\\s*]",
                "'response_format':{'type':'enum','enum':['good','bad']} ~ good|bad",
                "'response_format':{'type':'regex','regex':'[0-9]{2}-[a-f]'} ~ [0-9]{2}-[a-f]",
                "'structured_outputs':{'choice':['good','bad']} ~ good|bad",
                "'guided_choice':['good','bad'] ~ good|bad",
                "'structured_outputs':{'regex':'[0-9]{2}-[a-f]'} ~ [0-9]{2}-[a-f]",
                "'guided_regex':'[0-9]{2}-[a-f]' ~ [0-9]{2}-[a-f]",
                "'grammar':'root ::= [0-9] x \\\"!\\\"\\nx ::= \\\"(\\\" x \\\")\\\" | \\\"a\\\"' ~ [0-9]\\(*a\\)*!",
                "'structured_outputs':{'grammar':'start: A \\\"-\\\" A\\nA: /[a-c]/'} ~ [a-c]-[a-c]",
                "'guided_grammar':'start: A \\\"-\\\" A\\nA: /[a-c]/' ~ [a-c]-[a-c]",
            })
    void everyOtherFormBindsToo(String form, String pattern) throws Exception {
        for (long seed = 1; seed <= 3; seed++) {
            assertThat(text(form, seed)).matches("(?s)" + pattern);
        }
    }

    @Test
    void jsonModeIsAnObjectOrCutOff() throws Exception {
        int complete = 0;
        for (long seed = 1; seed <= 6; seed++) {
            for (String form :
                    List.of("'response_format':{'type':'json_object'}", "'structured_outputs':{'json_object':true}")) {
                JsonNode choice = ask(CHAT, HELLO + "'temperature':0.7,'max_tokens':300,'seed':" + seed + "," + form)
                        .at("/choices/0");
                String text = choice.at("/message/content").asString();
                assertThat(text).startsWith("{");
                if (choice.path("finish_reason").asString().equals("stop")) {
                    assertThat(MAPPER.readTree(text).isObject()).isTrue();
                    complete++;
                }
            }
        }
        assertThat(complete).isPositive();
    }

    @Test
    void textCompletionsAndResponsesAreBoundAlike() throws Exception {
        JsonNode completion = ask(
                "/v1/completions",
                "'prompt':['Anna is','Age:'],'n':2,'max_tokens':200,'temperature':1.5,'seed':5,'guided_json':"
                        + PERSON);
        assertThat(completion.path("choices")).hasSize(4);
        completion
                .path("choices")
                .forEach(choice -> assertPerson(choice.path("text").asString()));
        JsonNode response = ask(
                "/v1/responses",
                "'input':'Who is Anna?','temperature':1.5,'seed':5,'text':{'format':{'type':'json_schema','name':'p','schema':"
                        + PERSON + "}}");
        assertPerson(response.at("/output/0/content/0/text").asString());
        assertThat(response.path("status").asString()).isEqualTo("completed");
    }

    @Test
    void logprobsAreTheModelsOwn() throws Exception {
        JsonNode choice = ask(
                        CHAT,
                        HELLO + "'temperature':0,'logprobs':true,'top_logprobs':1,'response_format':"
                                + "{'type':'json_schema','json_schema':{'schema':" + PERSON + "}}")
                .at("/choices/0");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        boolean isUnlikely = false;
        for (JsonNode token : choice.at("/logprobs/content")) {
            token.path("bytes").forEach(b -> bytes.write(b.asInt()));
            assertThat(token.path("logprob").asDouble()).isNotPositive();
            isUnlikely |= token.path("logprob").asDouble()
                    < token.at("/top_logprobs/0/logprob").asDouble();
        }
        assertThat(isUnlikely)
                .describedAs("something was not the model's first choice")
                .isTrue();
        assertThat(bytes.toString(StandardCharsets.UTF_8).strip())
                .isEqualTo(choice.at("/message/content").asString());
    }

    @Test
    void whatHasBegunInThePromptCounts() throws Exception {
        String form =
                "'response_format':{'type':'json_schema','json_schema':{'schema':" + PERSON + "}},'temperature':1.5,"
                        + "'seed':2,'messages':[{'role':'user','content':'Who is Anna?'},{'role':'assistant','content':%s}]";
        String begun = "'{\\\"name\\\": '";
        assertPerson(ask(CHAT, form.formatted(begun + ",'prefix':true"))
                .at("/choices/0/message/content")
                .asString());
        assertPerson("{\"name\": "
                + ask(CHAT, form.formatted(begun))
                        .at("/choices/0/message/content")
                        .asString());
        // What does not come back may be an introduction.
        assertPerson(ask(CHAT, form.formatted("'Here is the object:'"))
                .at("/choices/0/message/content")
                .asString());
        Answer refused = post(CHAT, form.formatted("'Here is the object:','prefix':true"));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.json().at("/error/param").asString()).isEqualTo("messages");
    }

    @Test
    void aLimitCutsAnAnswerOff() throws Exception {
        JsonNode choice =
                ask(CHAT, HELLO + "'max_tokens':3,'guided_json':" + PERSON).at("/choices/0");
        assertThat(choice.path("finish_reason").asString()).isEqualTo("length");
        assertThat(choice.at("/message/content").asString()).startsWith("{");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "'response_format':{'type':'json_schema','json_schema':{'schema':{'properties':{'a':{'pattern':'(?<=x)y'}}}}} | response_format | invalid_json_schema | #/properties/a: 'pattern'",
                "'response_format':{'type':'json_schema','json_schema':{'schema':{'type':'objekt'}}} | response_format | invalid_json_schema | #: 'type'",
                "'response_format':{'type':'json_schema','json_schema':{'schema':{'enum':[]}}} | response_format | invalid_json_schema | #",
                "'response_format':{'type':'json_schema','json_schema':{'schema':{'$ref':'#/$defs/x'}}} | response_format | invalid_json_schema | #: '$ref'",
                "'response_format':{'type':'json_schema','json_schema':{'schema':{'type':'integer','minimum':2,'maximum':1}}} | response_format | invalid_json_schema | no value satisfies",
                "'guided_json':{'pattern':'('} | guided_json | invalid_json_schema | 'pattern'",
                "'guided_regex':'(' | guided_regex | invalid_value | regular expression",
                "'grammar':'root ::= x' | grammar | invalid_value | there is no rule 'x'",
                "'guided_choice':['a',''] | guided_choice | invalid_value | a choice is empty",
                "'tools':[{'function':{'name':'f','parameters':{'properties':{'a':{'format':'idn-hostname'}}}}}] | tools | invalid_json_schema | function 'f' #/properties/a: 'format'",
                "'functions':[{'name':'f','parameters':{'type':'array'}}] | functions | invalid_json_schema | function 'f' #: 'type'",
            })
    void whatCannotBeEnforcedIsRefused(String form, String param, String code, String message) throws Exception {
        for (String stream : List.of("", ",'stream':true")) {
            Answer answer = post(CHAT, HELLO + form + stream);
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.json().at("/error/param").asString()).isEqualTo(param);
            assertThat(answer.json().at("/error/code").asString()).isEqualTo(code);
            assertThat(answer.json().at("/error/type").asString()).isEqualTo("invalid_request_error");
            assertThat(answer.json().at("/error/message").asString()).contains(message);
        }
    }

    @Test
    void refusalsOfResponsesNameTheirOwnFields() throws Exception {
        Answer answer = post(
                "/v1/responses",
                "'input':'x','text':{'format':{'type':'json_schema','name':'p','schema':{'pattern':'\\\\bx'}}}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().at("/error/param").asString()).isEqualTo("text.format");
        assertThat(answer.json().at("/error/message").asString()).contains("'text.format'", "#: 'pattern'");
    }
}

package dev.mixtral.server.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.server.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a chat request may say, and with which words the rest is refused.
class ChatRequestReaderTest {
    private static final RequestRules RULES = new RequestRules(Dialect.OPENAI, 2048, 1, 8);
    private static final String USER = "{\"role\":\"user\",\"content\":\"Hi\"}";

    private static ChatRequest read(String body) {
        return ChatRequestReader.read(Json.parseObject(body.getBytes(StandardCharsets.UTF_8)), RULES);
    }

    private static ChatRequest with(String fields) {
        return read("{\"messages\":[" + USER + "]," + fields + "}");
    }

    private static ApiError errorOf(String body) {
        try {
            read(body);
        } catch (ApiException e) {
            assertThat(e.error().status()).isEqualTo(400);
            assertThat(e.error().type()).isEqualTo("invalid_request_error");
            return e.error();
        }
        throw new AssertionError("accepted: " + body);
    }

    private static void assertRefused(String body, String param, @Nullable String code, String message) {
        ApiError error = errorOf(body);
        assertThat(error.param()).isEqualTo(param);
        assertThat(error.code()).isEqualTo(code);
        assertThat(error.message()).isEqualTo(message);
    }

    @Test
    void defaultsAreOpenAis() {
        ChatRequest request = with("\"x\":1");
        assertThat(request.numChoices()).isEqualTo(1);
        assertThat(request.stream().isStream()).isFalse();
        assertThat(request.sampling().maxTokens()).isNull();
        assertThat(request.tools()).isEqualTo(ToolSettings.NONE);
        assertThat(request.format()).isEqualTo(new OutputFormat.Text());
        SamplingParams params = request.sampling().params(0, -1);
        assertThat(params).isEqualTo(SamplingParams.builder().build());
    }

    @Test
    void mistralsDefaultTemperatureIsTheModelsOwn() {
        RequestRules mistral = new RequestRules(Dialect.MISTRAL, 2048, 0.7, 8);
        var body = Json.parseObject(("{\"messages\":[" + USER + "]}").getBytes(StandardCharsets.UTF_8));
        assertThat(ChatRequestReader.read(body, mistral).sampling().temperature())
                .isEqualTo(0.7);
    }

    @Test
    void nullCountsAsAbsentEverywhere() {
        ChatRequest request = with("""
                "temperature":null,"top_p":null,"n":null,"stream":null,"stop":null,"max_tokens":null,"seed":null,
                "logit_bias":null,"tools":null,"tool_choice":null,"response_format":null,"logprobs":null,
                "top_logprobs":null,"stream_options":null,"parallel_tool_calls":null,"presence_penalty":null,
                "user":null,"functions":null,"function_call":null,"modalities":null,"x_routing":null""");
        assertThat(request).isEqualTo(with("\"x\":1"));
    }

    @Test
    void unknownFieldsAreNobodysBusiness() {
        String body = """
                {"messages":[{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{}}],"name":"a","zzz":[1]}],
                 "metadata":{"a":"b"},"store":true,"service_tier":"auto","prompt_cache_key":"k","reasoning_effort":"high",
                 "reasoning":{"effort":"low"},"prediction":{},"web_search_options":{},"guardrails":[],"transforms":[],
                 "verbosity":"low","modalities":["text"],"min_tokens":3,"ignore_eos":true,"usage":{"include":true}}""";
        assertThat(read(body).messages()).containsExactly(new UserMessage("Hi"));
    }

    @Test
    void integersMayBeWrittenAsDecimals() {
        ChatRequest request = with("\"n\":2.0,\"max_tokens\":8.0,\"seed\":-3.0,\"top_k\":5e0");
        assertThat(request.numChoices()).isEqualTo(2);
        assertThat(request.sampling().maxTokens()).isEqualTo(8);
        assertThat(request.sampling().seed()).isEqualTo(-3);
        assertThat(request.sampling().topK()).isEqualTo(5);
    }

    @Test
    void theNewerNameOfALimitWins() {
        assertThat(with("\"max_tokens\":5,\"max_completion_tokens\":7")
                        .sampling()
                        .maxTokens())
                .isEqualTo(7);
        assertThat(with("\"max_completion_tokens\":2000000000").sampling().maxTokens())
                .describedAs("never refused: the engine cuts it down")
                .isEqualTo(2_000_000_000);
        assertThat(with("\"random_seed\":4,\"seed\":3").sampling().seed()).isEqualTo(3);
        assertThat(with("\"random_seed\":4").sampling().seed()).isEqualTo(4);
        assertThat(with("\"seed\":-9223372036854775808").sampling().seed()).isEqualTo(Long.MIN_VALUE);
    }

    @Test
    void stopsOfNothingAreIgnored() {
        assertThat(with("\"stop\":[]").sampling().stop()).isEmpty();
        assertThat(with("\"stop\":\"\"").sampling().stop()).isEmpty();
        assertThat(with("\"stop\":[\"\",\"x\"]").sampling().stop()).containsExactly("x");
        assertThat(with("\"stop\":\"###\"").sampling().stop()).containsExactly("###");
    }

    @Test
    void biasesOfAHundredAreCertainties() {
        SamplingParams params = with("\"logit_bias\":{\"5\":-100,\"6\":100,\"7\":1.5}")
                .sampling()
                .params(0, 3);
        assertThat(params.logitBias()).containsEntry(5, -1e4f).containsEntry(6, 1e4f);
        assertThat(params.logitBias()).containsEntry(7, 1.5f).containsEntry(3, -1e4f);
    }

    @Test
    void everyChoiceHasASeedOfItsOwn() {
        Sampling sampling = with("\"seed\":5").sampling();
        assertThat(sampling.params(0, -1).seed()).isEqualTo(5);
        assertThat(sampling.params(1, -1).seed()).isNotEqualTo(5L).isNotEqualTo(6L);
        assertThat(sampling.params(1, -1).seed()).isEqualTo(Sampling.choiceSeed(5, 1));
        assertThat(Sampling.choiceSeed(5, 1)).isNotEqualTo(Sampling.choiceSeed(5, 2));
        assertThat(with("\"x\":1").sampling().params(1, -1).seed()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"temperature\":\"0.7\"|temperature|Invalid type for 'temperature': expected a decimal number, but got a string instead.",
                "\"temperature\":true|temperature|Invalid type for 'temperature': expected a decimal number, but got a boolean instead.",
                "\"n\":\"2\"|n|Invalid type for 'n': expected an integer, but got a string instead.",
                "\"n\":1.5|n|Invalid type for 'n': expected an integer, but got a decimal number instead.",
                "\"seed\":1.5|seed|Invalid type for 'seed': expected an integer, but got a decimal number instead.",
                "\"stream\":\"true\"|stream|Invalid type for 'stream': expected a boolean, but got a string instead.",
                "\"stream\":1|stream|Invalid type for 'stream': expected a boolean, but got an integer instead.",
                "\"stop\":5|stop|Invalid type for 'stop': expected a string or an array of strings, but got an integer instead.",
                "\"stop\":[5]|stop[0]|Invalid type for 'stop[0]': expected a string, but got an integer instead.",
                "\"logit_bias\":[]|logit_bias|Invalid type for 'logit_bias': expected an object, but got an array instead.",
                "\"tools\":{}|tools|Invalid type for 'tools': expected an array, but got an object instead.",
                "\"stream_options\":[]|stream_options|Invalid type for 'stream_options': expected an object, but got an array instead."
            })
    void wrongTypesAreNamed(String fields, String param, String message) {
        assertRefused("{\"messages\":[" + USER + "]," + fields + "}", param, "invalid_type", message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"temperature\":2.5|decimal_above_max_value|Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
                "\"temperature\":-1|decimal_below_min_value|Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
                "\"temperature\":1e999|decimal_above_max_value|Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got Infinity instead.",
                "\"top_p\":1.1|decimal_above_max_value|Invalid 'top_p': decimal above maximum value. Expected a value <= 1, but got 1.1 instead.",
                "\"frequency_penalty\":3|decimal_above_max_value|Invalid 'frequency_penalty': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
                "\"presence_penalty\":-3|decimal_below_min_value|Invalid 'presence_penalty': decimal below minimum value. Expected a value >= -2, but got -3 instead.",
                "\"n\":9|integer_above_max_value|Invalid 'n': integer above maximum value. Expected a value <= 8, but got 9 instead.",
                "\"n\":0|integer_below_min_value|Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
                "\"max_tokens\":0|integer_below_min_value|Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
                "\"max_completion_tokens\":-5|integer_below_min_value|Invalid 'max_completion_tokens': integer below minimum value. Expected a value >= 1, but got -5 instead.",
                "\"seed\":9223372036854775808|integer_above_max_value|Invalid 'seed': integer above maximum value. Expected a value <= 9223372036854775807, but got 9223372036854775808 instead.",
                "\"top_k\":-1|integer_below_min_value|Invalid 'top_k': integer below minimum value. Expected a value >= 0, but got -1 instead.",
                "\"min_p\":2|decimal_above_max_value|Invalid 'min_p': decimal above maximum value. Expected a value <= 1, but got 2 instead.",
                "\"typical_p\":2|decimal_above_max_value|Invalid 'typical_p': decimal above maximum value. Expected a value <= 1, but got 2 instead.",
                "\"repetition_penalty\":0|decimal_below_min_value|Invalid 'repetition_penalty': decimal below minimum value. Expected a value >= 0.001, but got 0 instead.",
                "\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\"]|array_above_max_length|Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead."
            })
    void valuesOutOfRangeAreNamed(String fields, String code, String message) {
        String param = fields.substring(1, fields.indexOf('"', 1));
        assertRefused("{\"messages\":[" + USER + "]," + fields + "}", param, code, message);
    }

    @Test
    void topLogprobsNeedLogprobs() {
        assertRefused(
                "{\"messages\":[" + USER + "],\"top_logprobs\":3}",
                "top_logprobs",
                null,
                "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.");
        assertThat(with("\"logprobs\":true").sampling().topLogprobs()).isZero();
        assertThat(with("\"logprobs\":true,\"top_logprobs\":20").sampling().topLogprobs())
                .isEqualTo(20);
        assertThat(errorOf("{\"messages\":[" + USER + "],\"logprobs\":true,\"top_logprobs\":21}")
                        .code())
                .isEqualTo("integer_above_max_value");
    }

    @Test
    void biasesOfUnknownTokensAreRefused() {
        for (String key : new String[] {"2048", "-1", "x", "", "99999999999999999999", "1.5"}) {
            ApiError error = errorOf("{\"messages\":[" + USER + "],\"logit_bias\":{\"" + key + "\":1}}");
            assertThat(error.param()).isEqualTo("logit_bias");
            assertThat(error.message()).contains("'" + key + "'").contains("2047");
        }
        assertThat(errorOf("{\"messages\":[" + USER + "],\"logit_bias\":{\"5\":101}}")
                        .code())
                .isEqualTo("decimal_above_max_value");
    }

    @Test
    void bodiesThatAreNoObjectsAreRefused() {
        for (String body : new String[] {"", "{", "[]", "null", "5", "{} {}", "{\"a\":}", "\"x\"", "{'a':1}"}) {
            ApiError error = errorOf(body);
            assertThat(error.message()).startsWith("We could not parse the JSON body of your request.");
            assertThat(error.param()).isNull();
            assertThat(error.code()).isNull();
        }
        byte[] invalidUtf8 = {'{', '"', 'a', '"', ':', '"', (byte) 0xff, (byte) 0xfe, '"', '}'};
        assertThatThrownBy(() -> Json.parseObject(invalidUtf8)).isInstanceOf(ApiException.class);
        String deep = "{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
        assertThat(errorOf(deep).message()).startsWith("We could not parse");
    }

    @Test
    void halvesOfSurrogatePairsAreRefusedWithTheirPlace() {
        for (String half : new String[] {"\\ud800", "a\\udc00b", "\\ud83d\\ud83d\\ude00", "\\ude00\\ud83d"}) {
            String user = "{\"role\":\"user\",\"content\":\"" + half + "\"}";
            ApiError error = errorOf("{\"messages\":[" + USER + "," + user + "]}");
            assertThat(error.param()).isEqualTo("messages[1].content");
            assertThat(error.code()).isEqualTo("invalid_value");
            assertThat(error.message()).contains("'messages[1].content'").contains("surrogate");
        }
        assertThat(errorOf("{\"stop\":[\"\\ud800\"]}").param()).isEqualTo("stop[0]");
        assertThat(errorOf("{\"logit_bias\":{\"\\ud800\":1}}").message()).startsWith("We could not parse");
        byte[] raw = "{\"a\":\"???\"}".getBytes(StandardCharsets.UTF_8);
        System.arraycopy(new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80}, 0, raw, 6, 3);
        assertThatThrownBy(() -> Json.parseObject(raw)).isInstanceOf(ApiException.class);
        assertThat(read("{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud83d\\ude00\"}]}")
                        .messages())
                .containsExactly(new UserMessage("😀"));
    }

    @Test
    void ofEqualNamesTheLastCounts() {
        assertThat(with("\"n\":2,\"n\":3").numChoices()).isEqualTo(3);
    }

    @Test
    void quotationsAreCutBetweenCharacters() {
        String role = "a".repeat(63) + "😀😀";
        assertThat(errorOf("{\"messages\":[{\"role\":\"" + role + "\",\"content\":\"\"}]}")
                        .message())
                .contains("a😀…'")
                .doesNotContain("😀😀");
    }

    @Test
    void messagesMustBeThere() {
        assertRefused("{}", "messages", "missing_required_parameter", "Missing required parameter: 'messages'.");
        assertRefused(
                "{\"messages\":[]}",
                "messages",
                "empty_array",
                "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.");
        assertThat(errorOf("{\"messages\":\"Hi\"}").code()).isEqualTo("invalid_type");
        assertThat(errorOf("{\"messages\":[5]}").param()).isEqualTo("messages[0]");
        assertThat(errorOf("{\"messages\":[{\"content\":\"x\"}]}").param()).isEqualTo("messages[0].role");
        assertThat(errorOf("{\"messages\":[{\"role\":\"user\"}]}").param()).isEqualTo("messages[0].content");
        assertThat(errorOf("{\"messages\":[{\"role\":\"user\",\"content\":null}]}")
                        .code())
                .isEqualTo("missing_required_parameter");
        assertRefused(
                "{\"messages\":[{\"role\":\"wizard\",\"content\":\"x\"}]}",
                "messages[0].role",
                "invalid_value",
                "Invalid value: 'wizard'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool', 'function'.");
    }

    @Test
    void contentIsTextOrTextParts() {
        assertThat(
                        read("{\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"text\":\"b\"}]}]}")
                                .messages())
                .containsExactly(new SystemMessage("ab"));
        assertThat(
                        read("{\"messages\":[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"assistant\",\"content\":null}]}")
                                .messages())
                .containsExactly(new UserMessage(""), new AssistantMessage(null, List.of(), false));
        ApiError error = errorOf(
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}}]}]}");
        assertThat(error.param()).isEqualTo("messages[0].content");
        assertThat(error.code()).isEqualTo("unsupported_content_type");
        assertThat(errorOf("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}")
                        .param())
                .isEqualTo("messages[0].content[0].text");
    }

    @Test
    void onlyTheLastMessageMayBeAPrefix() {
        ChatRequest request =
                read("{\"messages\":[" + USER + ",{\"role\":\"assistant\",\"content\":\"Well\",\"prefix\":true}]}");
        assertThat(request.prefix()).isEqualTo("Well");
        assertThat(read("{\"messages\":[" + USER + ",{\"role\":\"assistant\",\"content\":\"Well\"}]}")
                        .prefix())
                .isEmpty();
        assertThat(errorOf("{\"messages\":[{\"role\":\"assistant\",\"content\":\"Well\",\"prefix\":true}," + USER
                                + "]}")
                        .param())
                .isEqualTo("messages[0].prefix");
    }

    @Test
    void safePromptIsPutInFront() {
        assertThat(with("\"safe_prompt\":true").messages().getFirst())
                .isEqualTo(new SystemMessage(ChatRequestReader.SAFE_PROMPT));
    }

    private static final String CALL =
            "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},"
                    + "{\"id\":\"b\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":{\"x\":1}}}]}";

    private static String result(String id) {
        return "{\"role\":\"tool\",\"tool_call_id\":\"" + id + "\",\"content\":\"ok\"}";
    }

    @Test
    void resultsMayComeInAnyOrder() {
        ChatRequest request =
                read("{\"messages\":[" + USER + "," + CALL + "," + result("b") + "," + result("a") + "]}");
        AssistantMessage call = (AssistantMessage) request.messages().get(1);
        assertThat(call.toolCalls().get(1).arguments()).isEqualTo("{\"x\":1}");
        assertThat(request.messages().get(2)).isEqualTo(new ToolMessage("ok", "b", null));
    }

    @Test
    void resultsWithoutTheirCallAreRefused() {
        String words = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with"
                + " 'tool_calls'.";
        assertRefused("{\"messages\":[" + USER + "," + result("a") + "]}", "messages.[1].role", null, words);
        assertRefused(
                "{\"messages\":[" + USER + "," + CALL + "," + result("a") + "," + result("a") + "]}",
                "messages.[3].role",
                null,
                words);
        assertThat(errorOf("{\"messages\":[" + USER + "," + CALL + ",{\"role\":\"tool\",\"content\":\"x\"}]}")
                        .param())
                .isEqualTo("messages[2].tool_call_id");
    }

    @Test
    void callsWithoutTheirResultAreRefused() {
        String words = "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
                + " 'tool_call_id'. The following tool_call_ids did not have response messages: ";
        assertRefused("{\"messages\":[" + USER + "," + CALL + "]}", "messages.[1].role", null, words + "a, b");
        assertRefused(
                "{\"messages\":[" + USER + "," + CALL + "," + result("a") + "," + USER + "]}",
                "messages.[2].role",
                null,
                words + "b");
    }
}

package dev.mixtral.server.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutputFormatReaderTest {
    private static OutputFormat read(String fields) {
        return OutputFormatReader.read(
                new Fields(Json.parseObject(("{" + fields + "}").getBytes(StandardCharsets.UTF_8)), ""));
    }

    private static ApiError errorOf(String fields) {
        try {
            read(fields);
        } catch (ApiException e) {
            return e.error();
        }
        throw new AssertionError("accepted: " + fields);
    }

    @Test
    void everyPeersWordsAreUnderstood() {
        var schema = Json.object().put("type", "string");
        assertThat(read("\"x\":1")).isEqualTo(new OutputFormat.Text());
        assertThat(read("\"response_format\":{\"type\":\"text\"}")).isEqualTo(new OutputFormat.Text());
        assertThat(read("\"response_format\":{\"type\":\"json_object\"}"))
                .isEqualTo(new OutputFormat.AnyObject("response_format"));
        assertThat(read("\"response_format\":{\"type\":\"json_object\",\"schema\":{\"type\":\"string\"}}"))
                .isEqualTo(new OutputFormat.Schema("response_format", schema));
        assertThat(
                        read(
                                "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"string\"}}}"))
                .isEqualTo(new OutputFormat.Schema("response_format", schema));
        assertThat(read("\"response_format\":{\"type\":\"enum\",\"enum\":[\"a\",\"b\"]}"))
                .isEqualTo(new OutputFormat.Choice("response_format", List.of("a", "b")));
        assertThat(read("\"structured_outputs\":{\"choice\":[\"a\"]}"))
                .isEqualTo(new OutputFormat.Choice("structured_outputs", List.of("a")));
        assertThat(read("\"guided_json\":{\"type\":\"string\"}"))
                .isEqualTo(new OutputFormat.Schema("guided_json", schema));
        assertThat(read("\"guided_choice\":[\"a\"]")).isEqualTo(new OutputFormat.Choice("guided_choice", List.of("a")));
        assertThat(read("\"guided_regex\":\"a+\"")).isEqualTo(new OutputFormat.Regex("guided_regex", "a+"));
        assertThat(read("\"grammar\":\"root ::= \\\"a\\\"\""))
                .isEqualTo(new OutputFormat.Grammar("grammar", "root ::= \"a\""));
    }

    @Test
    void malformedFormsAreNamed() {
        assertThat(errorOf("\"response_format\":{}").param()).isEqualTo("response_format.type");
        assertThat(errorOf("\"response_format\":{\"type\":\"yaml\"}").code()).isEqualTo("invalid_value");
        assertThat(errorOf("\"response_format\":\"json_object\"").code()).isEqualTo("invalid_type");
        assertThat(errorOf("\"response_format\":{\"type\":\"json_schema\"}").param())
                .isEqualTo("response_format.json_schema");
        assertThat(errorOf("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\"}}")
                        .param())
                .isEqualTo("response_format.json_schema.schema");
        assertThat(errorOf("\"guided_choice\":[]").code()).isEqualTo("empty_array");
        assertThat(errorOf("\"guided_choice\":[1]").param()).isEqualTo("guided_choice[0]");
    }
}

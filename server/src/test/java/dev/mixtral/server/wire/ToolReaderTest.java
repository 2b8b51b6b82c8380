package dev.mixtral.server.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ToolReaderTest {
    private static final String TOOLS = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
            + "{\"function\":{\"name\":\"g\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"},\"strict\":true}}]";

    private static ToolSettings read(String fields) {
        return ToolReader.read(new Fields(Json.parseObject(("{" + fields + "}").getBytes(StandardCharsets.UTF_8)), ""));
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
    void toolsAreReadWithTheirDefaults() {
        ToolSettings settings = read(TOOLS);
        assertThat(settings.choice()).isEqualTo(new ToolChoice.Auto());
        assertThat(settings.parallelCalls()).isTrue();
        assertThat(settings.tools().getFirst().parameters().toString())
                .isEqualTo("{\"type\":\"object\",\"properties\":{}}");
        assertThat(settings.tools().getLast().description()).isEqualTo("d");
        assertThat(read("\"tools\":[]")).isEqualTo(ToolSettings.NONE);
    }

    @Test
    void choicesAreWordsOrFunctions() {
        assertThat(read(TOOLS + ",\"tool_choice\":\"none\"").choice()).isEqualTo(new ToolChoice.None());
        assertThat(read(TOOLS + ",\"tool_choice\":\"auto\"").choice()).isEqualTo(new ToolChoice.Auto());
        assertThat(read(TOOLS + ",\"tool_choice\":\"required\"").choice()).isEqualTo(new ToolChoice.Required());
        assertThat(read(TOOLS + ",\"tool_choice\":\"any\"").choice()).isEqualTo(new ToolChoice.Required());
        assertThat(read(TOOLS + ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"g\"}}")
                        .choice())
                .isEqualTo(new ToolChoice.Named("g"));
        assertThat(read(TOOLS + ",\"tool_choice\":{\"function\":{\"name\":\"g\"}}")
                        .choice())
                .isEqualTo(new ToolChoice.Named("g"));
        assertThat(read("\"tool_choice\":\"auto\"").choice()).isEqualTo(new ToolChoice.None());
        assertThat(read("\"tool_choice\":\"none\"").choice()).isEqualTo(new ToolChoice.None());
    }

    @Test
    void aSubsetOfTheToolsMayBeAllowed() {
        ToolSettings settings = read(
                TOOLS
                        + ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}}");
        assertThat(settings.choice()).isEqualTo(new ToolChoice.Auto());
        assertThat(settings.tools()).extracting(tool -> tool.name()).containsExactly("g");
    }

    @Test
    void impossibleChoicesAreRefused() {
        ApiError none = errorOf("\"tool_choice\":\"required\"");
        assertThat(none.message()).isEqualTo("'tool_choice' is only allowed when 'tools' are specified.");
        assertThat(none.param()).isEqualTo("tool_choice");
        assertThat(errorOf(TOOLS + ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"x\"}}")
                        .message())
                .isEqualTo("Tool choice 'x' not found in 'tools' parameter.");
        assertThat(errorOf(TOOLS + ",\"tool_choice\":\"sometimes\"").code()).isEqualTo("invalid_value");
        assertThat(errorOf(TOOLS + ",\"tool_choice\":5").code()).isEqualTo("invalid_type");
        assertThat(errorOf("\"function_call\":{\"name\":\"f\"}").message())
                .isEqualTo("'function_call' is only allowed when 'functions' are specified.");
    }

    @Test
    void impossibleToolsAreRefused() {
        assertThat(errorOf("\"tools\":[{\"type\":\"web_search\"}]").param()).isEqualTo("tools[0].type");
        assertThat(errorOf("\"tools\":[{}]").param()).isEqualTo("tools[0].function");
        assertThat(errorOf("\"tools\":[{\"function\":{}}]").param()).isEqualTo("tools[0].function.name");
        assertThat(errorOf("\"tools\":[{\"function\":{\"name\":\"a b\"}}]").code())
                .isEqualTo("invalid_value");
        assertThat(errorOf("\"tools\":[{\"function\":{\"name\":\"" + "a".repeat(65) + "\"}}]")
                        .param())
                .isEqualTo("tools[0].function.name");
        assertThat(errorOf("\"tools\":[{\"function\":{\"name\":\"a\",\"parameters\":5}}]")
                        .param())
                .isEqualTo("tools[0].function.parameters");
        String many = "{\"function\":{\"name\":\"f\"}},".repeat(128) + "{\"function\":{\"name\":\"f\"}}";
        assertThat(errorOf("\"tools\":[" + many + "]").code()).isEqualTo("array_above_max_length");
    }

    @Test
    void legacyFunctionsAreTools() {
        ToolSettings settings = read("\"functions\":[{\"name\":\"f\"}],\"function_call\":\"auto\"");
        assertThat(settings.legacy()).isTrue();
        assertThat(settings.parallelCalls()).isFalse();
        assertThat(settings.mayCall()).isTrue();
        assertThat(read("\"functions\":[{\"name\":\"f\"}],\"function_call\":{\"name\":\"f\"}")
                        .choice())
                .isEqualTo(new ToolChoice.Named("f"));
    }
}

package dev.mixtral.server.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.Dialect;
import dev.mixtral.server.wire.CompletionRequest.TextPrompt;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CompletionRequestReaderTest {
    private static final RequestRules RULES = new RequestRules(Dialect.OPENAI, 2048, 1, 8);

    private static CompletionRequest read(String fields) {
        return CompletionRequestReader.read(
                Json.parseObject(("{" + fields + "}").getBytes(StandardCharsets.UTF_8)), RULES);
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
    void promptsAreTextsOrIds() {
        assertThat(read("\"prompt\":\"\"").prompts()).containsExactly(new TextPrompt.Text(""));
        assertThat(read("\"prompt\":[\"a\",\"b\"]").prompts())
                .containsExactly(new TextPrompt.Text("a"), new TextPrompt.Text("b"));
        assertThat(((TextPrompt.Ids) read("\"prompt\":[1,2]").prompts().getFirst()).ids())
                .containsExactly(1, 2);
        assertThat(read("\"prompt\":[[1],[2,3]]").prompts()).hasSize(2);
    }

    @Test
    void defaultsAreTheLegacyOnes() {
        CompletionRequest request = read("\"prompt\":\"x\"");
        assertThat(request.sampling().maxTokens()).isEqualTo(16);
        assertThat(request.sampling().topLogprobs()).isNull();
        assertThat(request.bestOf()).isEqualTo(1);
        assertThat(request.echo()).isFalse();
        assertThat(read("\"prompt\":\"x\",\"n\":3").bestOf()).isEqualTo(3);
    }

    @Test
    void whatIsImpossibleIsNamed() {
        assertThat(errorOf("\"x\":1").code()).isEqualTo("missing_required_parameter");
        assertThat(errorOf("\"prompt\":5").code()).isEqualTo("invalid_type");
        assertThat(errorOf("\"prompt\":[]").code()).isEqualTo("empty_array");
        assertThat(errorOf("\"prompt\":[[]]").code()).isEqualTo("empty_array");
        assertThat(errorOf("\"prompt\":[2048]").code()).isEqualTo("integer_above_max_value");
        assertThat(errorOf("\"prompt\":[1,\"a\"]").param()).isEqualTo("prompt[1]");
        assertThat(errorOf("\"prompt\":[true]").param()).isEqualTo("prompt[0]");
        assertThat(errorOf("\"prompt\":\"x\",\"n\":2,\"best_of\":1").param()).isEqualTo("best_of");
        assertThat(errorOf("\"prompt\":\"x\",\"stream\":true,\"best_of\":2").param())
                .isEqualTo("best_of");
        assertThat(errorOf("\"prompt\":\"x\",\"suffix\":\"y\"").param()).isEqualTo("suffix");
        assertThat(errorOf("\"prompt\":\"x\",\"logprobs\":6").code()).isEqualTo("integer_above_max_value");
        assertThat(errorOf("\"prompt\":\"x\",\"max_tokens\":0").code()).isEqualTo("integer_below_min_value");
        assertThat(read("\"prompt\":\"x\",\"max_tokens\":0,\"echo\":true")
                        .sampling()
                        .maxTokens())
                .isZero();
    }
}

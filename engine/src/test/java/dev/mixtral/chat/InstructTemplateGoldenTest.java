package dev.mixtral.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.testing.SharedData;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.TokenizerVersion;
import dev.mixtral.tokenizer.Tokenizers;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/// Ids and refusals recorded from mistral-common.
class InstructTemplateGoldenTest {
    private static final Map<TokenizerVersion, String> FILES = Map.of(
            TokenizerVersion.V1, "tokenizers/tokenizer.model.v1",
            TokenizerVersion.V2, "tokenizers/mistral_instruct_tokenizer_240216.model.v2",
            TokenizerVersion.V3, "tokenizers/mistral_instruct_tokenizer_240323.model.v3");

    @ParameterizedTest
    @EnumSource
    void rendersAsMistralCommon(TokenizerVersion version) {
        Tokenizer tokenizer = Tokenizers.open(SharedData.file(FILES.getOrDefault(version, "")));
        InstructTemplate template = new InstructTemplate(tokenizer, version, InstructTemplate.Mode.STRICT);
        String name = version.name().toLowerCase(Locale.ROOT);
        for (JsonNode line : SharedData.lines("golden/chat-" + name + ".dev.jsonl")) {
            if (line.has("error")) {
                assertThatThrownBy(() -> render(template, line))
                        .as("%s", line)
                        .isInstanceOf(InvalidRequestException.class)
                        .hasMessageContaining(line.get("error_message").stringValue());
            } else {
                ChatTemplate.Prompt prompt = render(template, line);
                assertThat(prompt.ids()).as("%s", line).isEqualTo(SharedData.ids(line.get("ids")));
                assertThat(prompt.text()).as("%s", line).isNotEmpty();
            }
        }
    }

    private static ChatTemplate.Prompt render(InstructTemplate template, JsonNode line) {
        boolean isNormalized = line.has("level");
        ChatJson json = isNormalized ? ChatJson.forApi() : ChatJson.likeMistralCommon();
        ChatJson.Request request = json.read(line);
        List<Message> messages = request.messages();
        return isNormalized
                ? template.renderAsIs(
                        line.path("system_prompt").asString(""),
                        messages,
                        request.tools(),
                        line.path("continue_final_message").asBoolean(false))
                : template.render(messages, request.tools());
    }
}

package dev.mixtral.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.Checkpoint.NamedTemplate;
import dev.mixtral.format.TokenizerSource.SentencePieceFile;
import dev.mixtral.format.TokenizerSource.TokenizerJsonFile;
import dev.mixtral.testing.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderTokenizerTest {
    @TempDir
    Path folder;

    @Test
    void sentencePieceIsPreferredAndTheLatestVersionOfSeveral() throws IOException {
        assertThat(tokenizer().source()).isEmpty();

        Path json = Files.createFile(folder.resolve("tokenizer.json"));
        assertThat(tokenizer().source()).hasValue(new TokenizerJsonFile(json));

        Files.createFile(folder.resolve("tokenizer.model.v1"));
        Path v3 = Files.createFile(folder.resolve("mistral_instruct_tokenizer_240323.model.v3"));
        assertThat(tokenizer().source()).hasValue(new SentencePieceFile(v3));

        Path model = Files.createFile(folder.resolve("tokenizer.model"));
        assertThat(tokenizer().source()).hasValue(new SentencePieceFile(model));
    }

    @Test
    void generationConfigHasTheFirstWordOnTheEndOfSequence() {
        assertThat(tokenizer().eosTokenIds()).isEmpty();

        write("config.json", "{'eos_token_id': 2}");
        write("generation_config.json", "{'eos_token_id': null}");
        assertThat(tokenizer().eosTokenIds()).containsExactly(2);

        write("generation_config.json", "{'eos_token_id': [5, 7]}");
        assertThat(tokenizer().eosTokenIds()).containsExactly(5, 7);

        write("generation_config.json", "{'eos_token_id': 100}");
        assertThatThrownBy(() -> tokenizer().eosTokenIds())
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("generation_config.json")
                .hasMessageContaining("0 to 99 expected");
    }

    @Test
    void aTemplateIsAStringAListOrAFile() {
        assertThat(tokenizer().chatTemplates()).isEmpty();

        write("tokenizer_config.json", "{'chat_template': 'one'}");
        assertThat(tokenizer().chatTemplates()).containsExactly(new NamedTemplate("default", "one"));

        write(
                "tokenizer_config.json",
                "{'chat_template': [{'name':'tool_use','template':'two'},{'name':'default','template':'three'}]}");
        assertThat(tokenizer().chatTemplates())
                .containsExactly(new NamedTemplate("default", "three"), new NamedTemplate("tool_use", "two"));

        write("chat_template.jinja", "four");
        assertThat(tokenizer().chatTemplates())
                .containsExactly(new NamedTemplate("default", "four"), new NamedTemplate("tool_use", "two"));
    }

    @Test
    void brokenTemplatesAreRefused() throws IOException {
        write("tokenizer_config.json", "{'chat_template': [{'name':'x'}]}");
        assertThatThrownBy(() -> tokenizer().chatTemplates()).hasMessageContaining("without `template`");

        write("tokenizer_config.json", "{'chat_template': 1}");
        assertThatThrownBy(() -> tokenizer().chatTemplates()).hasMessageContaining("an array of objects expected");

        Files.write(folder.resolve("chat_template.jinja"), new byte[] {(byte) 0xc3});
        assertThatThrownBy(() -> tokenizer().chatTemplates())
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("not valid UTF-8");
    }

    private FolderTokenizer tokenizer() {
        return new FolderTokenizer(folder, 100);
    }

    private void write(String name, String json) {
        TestModels.writeText(folder.resolve(name), json.replace('\'', '"'));
    }
}

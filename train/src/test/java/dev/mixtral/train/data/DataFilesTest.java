package dev.mixtral.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.train.data.DataExample.Chat;
import dev.mixtral.train.data.DataExample.Text;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataFilesTest {
    @TempDir
    private Path folder;

    private DataFiles.Content read(String name, String text) throws IOException {
        return DataFiles.read(List.of(Files.writeString(folder.resolve(name), text)));
    }

    private Chat onlyChat(String line) throws IOException {
        DataFiles.Content content = read("data.jsonl", line + "\n");
        assertThat(content.faults()).isEmpty();
        assertThat(content.examples()).hasSize(1);
        return (Chat) content.examples().getFirst();
    }

    @Test
    void readsChatsOfOpenAiWithWeights() throws IOException {
        Chat chat = onlyChat("""
                {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},\
                {"role":"assistant","content":"Hello!","weight":0},{"role":"user","content":"Bye"},\
                {"role":"assistant","content":"Bye!","weight":1}]}""");
        assertThat(chat.messages())
                .containsExactly(
                        Message.system("Be brief."),
                        Message.user("Hi"),
                        Message.assistant("Hello!"),
                        Message.user("Bye"),
                        Message.assistant("Bye!"));
        assertThat(chat.muted()).containsExactly(2);
    }

    @Test
    void readsToolsAndGivesForeignCallsIdsOfNineCharacters() throws IOException {
        DataFiles.Content content = read("data.jsonl", """
                {"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object"}}}],\
                "messages":[{"role":"user","content":"Weather in Paris?"},\
                {"role":"assistant","tool_calls":[{"id":"call_abcdefghijkl","type":"function",\
                "function":{"name":"get_weather","arguments":"{\\"city\\":\\"Paris\\"}"}}]},\
                {"role":"tool","tool_call_id":"call_abcdefghijkl","content":"{\\"c\\":21}"},\
                {"role":"assistant","content":"21 degrees."}]}
                """);
        assertThat(content.faults()).isEmpty();
        assertThat(content.rewrittenIds()).isEqualTo(1);
        Chat chat = (Chat) content.examples().getFirst();
        String id = ((AssistantMessage) chat.messages().get(1))
                .toolCalls()
                .getFirst()
                .id();
        assertThat(id).matches("[a-zA-Z0-9]{9}");
        assertThat(((ToolMessage) chat.messages().get(2)).toolCallId()).isEqualTo(id);
        assertThat(chat.tools()).hasSize(1);
    }

    @Test
    void readsShareGptWithFunctionCalls() throws IOException {
        Chat chat = onlyChat("""
                {"system":"Be brief.","tools":"[{\\"name\\":\\"add\\",\\"description\\":\\"sum\\",\\"parameters\\":{}}]",\
                "conversations":[{"from":"human","value":"1+2?"},\
                {"from":"function_call","value":"{\\"name\\":\\"add\\",\\"arguments\\":{\\"a\\":1,\\"b\\":2}}"},\
                {"from":"observation","value":"3"},{"from":"gpt","value":"Three."}]}""");
        assertThat(chat.messages()).hasSize(5);
        assertThat(chat.messages().getFirst()).isEqualTo(Message.system("Be brief."));
        AssistantMessage call = (AssistantMessage) chat.messages().get(2);
        assertThat(call.toolCalls().getFirst().name()).isEqualTo("add");
        assertThat(call.toolCalls().getFirst().arguments()).isEqualTo("{\"a\":1,\"b\":2}");
        assertThat(chat.tools().getFirst().name()).isEqualTo("add");
    }

    @Test
    void readsAlpacaFromAnArrayWithLines() throws IOException {
        DataFiles.Content content = read("alpaca.json", """
                [
                  {"instruction":"Translate.","input":"cat","output":"chat"},
                  {"instruction":"Say hi.","input":"","output":"hi","history":[["a","b"]]},
                  {"instruction":"Nothing."}
                ]
                """);
        assertThat(content.examples())
                .extracting(example -> example.origin().line())
                .containsExactly(2, 3);
        assertThat(((Chat) content.examples().getFirst()).messages())
                .containsExactly(Message.user("Translate.\n\ncat"), Message.assistant("chat"));
        assertThat(((Chat) content.examples().get(1)).messages()).hasSize(4);
        assertThat(content.faults()).hasSize(1);
        assertThat(content.faults().getFirst().toString())
                .endsWith("alpaca.json:4: output must be a string, got nothing");
    }

    @Test
    void readsPairsAndTexts() throws IOException {
        assertThat(onlyChat("{\"prompt\":\"a\",\"completion\":\"b\"}").messages())
                .hasSize(2);
        assertThat(read("t.jsonl", "{\"text\":\"Once.\"}").examples().getFirst())
                .isInstanceOfSatisfying(
                        Text.class, text -> assertThat(text.text()).isEqualTo("Once."));
        assertThat(read("t.txt", "Once upon\na time.\n").examples().getFirst())
                .isInstanceOfSatisfying(
                        Text.class, text -> assertThat(text.text()).isEqualTo("Once upon\na time."));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[1]                                                             | expected a JSON object, got [1]",
                "{\"a\":1}                                                       | found a",
                "{\"messages\":[]}                                               | messages is empty",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}          | the last message must be the assistant's",
                "{\"messages\":[{\"role\":\"assistant\",\"content\":\"x\"}]}     | an assistant message after nothing",
                "{\"conversations\":[{\"from\":\"martian\",\"value\":\"x\"}]}    | from is 'martian'",
                "{\"prompt\":\"a\",\"completion\":\" \"}                         | says nothing and calls nothing",
                "{\"text\":\"\"}                                                 | text is empty",
                "{\"text\":                                                      | no JSON",
                "{\"text\":\"a\",\"text\":\"b\"}                                 | no JSON: Duplicate",
            })
    void namesTheFault(String line, String fault) throws IOException {
        DataFiles.Content content = read("bad.jsonl", "{\"text\":\"fine\"}\n\n" + line.strip() + "\n");
        assertThat(content.examples()).hasSize(1);
        assertThat(content.faults()).hasSize(1);
        assertThat(content.faults().getFirst().origin().line()).isEqualTo(3);
        assertThat(content.faults().getFirst().toString())
                .contains("bad.jsonl:3: ")
                .contains(fault);
    }

    @Test
    void namesTheLineThatIsNotUtf8() throws IOException {
        Path file = folder.resolve("latin.jsonl");
        Files.write(file, "{\"text\":\"a\"}\n{\"text\":\"é\"}\n".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(DataFiles.read(List.of(file)).faults())
                .extracting(DataFault::toString)
                .containsExactly(file + ":2: the line is not UTF-8");
    }

    @Test
    void refusesMissingAndEmptyFiles() throws IOException {
        assertThatThrownBy(() -> DataFiles.read(List.of(folder.resolve("none.jsonl"))))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("there is no data file");
        Path empty = Files.writeString(folder.resolve("empty.jsonl"), "\n\n");
        assertThatThrownBy(() -> DataFiles.read(List.of(empty))).hasMessageContaining("is empty");
    }

    @Test
    void anArrayThatBreaksOffIsAFaultAtItsPlace() throws IOException {
        DataFiles.Content content = read("half.json", "[\n{\"text\":\"a\"},\n{\"text\":\"b\"\n");
        assertThat(content.examples()).hasSize(1);
        assertThat(content.faults()).hasSize(1);
        assertThat(content.faults().getFirst().what()).contains("nothing behind this place was read");
    }
}

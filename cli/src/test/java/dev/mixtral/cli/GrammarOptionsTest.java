package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Random weights, whose answers would be noise if nothing held them.
class GrammarOptionsTest {
    @TempDir
    private static Path folder;

    private static String model;

    @BeforeAll
    static void makeModel() {
        model = TestModel.writeTo(folder);
    }

    private static String file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private static CommandRun run(String... options) {
        return with("run", options);
    }

    private static CommandRun with(String command, String... options) {
        String[] fixed = {command, model, "--temperature", "1", "--seed", "5", "--max-tokens", "100"};
        String[] args = new String[fixed.length + options.length];
        System.arraycopy(fixed, 0, args, 0, fixed.length);
        System.arraycopy(options, 0, args, fixed.length, options.length);
        return CommandRun.of(folder, "anything", args);
    }

    private static String answer(CommandRun run) {
        assertThat(run.exitCode()).as(run.err()).isZero();
        return run.out().stripTrailing();
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "chat"})
    void aChoiceIsOneOfTheTexts(String command) {
        assertThat(answer(with(command, "--choice", "yes,no,not sure"))).isIn("yes", "no", "not sure");
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "chat"})
    void aSchemaHoldsTheAnswer(String command) throws IOException {
        String schema = file("schema.json", """
                {"type":"object","properties":{"n":{"type":"integer","minimum":30,"maximum":90},"b":{"type":"boolean"}},
                "required":["n","b"],"additionalProperties":false}""");
        JsonNode value = JsonLines.MAPPER.readTree(answer(with(command, "--schema", schema)));
        assertThat(value.get("n").intValue()).isBetween(30, 90);
        assertThat(value.get("b").isBoolean()).isTrue();
        assertThat(value.size()).isEqualTo(2);
    }

    @Test
    void aPatternHoldsTheAnswer() {
        assertThat(answer(run("--regex", "[a-c]{3}-\\d{2}"))).matches("[a-c]{3}-\\d{2}");
    }

    @Test
    void rawTextIsHeldToo() {
        assertThat(answer(run("--raw", "--regex", "[a-c]{7}"))).matches("[a-c]{7}");
    }

    @ParameterizedTest
    @CsvSource({"sum.gbnf,root ::= [0-9] (\"+\" [0-9]){2}", "sum.lark,'start: D (\"+\" D)~2\nD: /[0-9]/'"})
    void aGrammarIsReadByItsName(String name, String text) throws IOException {
        assertThat(answer(run("--grammar", file(name, text)))).matches("\\d\\+\\d\\+\\d");
    }

    @Test
    void theAnswerInJsonIsHeldToo() {
        JsonNode report = JsonLines.MAPPER.readTree(answer(run("--json", "--choice", "left,right")));
        assertThat(report.get("text").stringValue()).isIn("left", "right");
        assertThat(report.get("finishReason").stringValue()).isEqualTo("stop");
    }

    @Test
    void whatIsNotEnforcedIsSaid() throws IOException {
        CommandRun run = run("--schema", file("warned.json", "{\"enum\":[\"a\"],\"format\":\"shoe-size\"}"));
        assertThat(answer(run)).isEqualTo("\"a\"");
        assertThat(run.err()).contains("#: 'format' is shoe-size");
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "chat"})
    void oneFormAtMost(String command) {
        CommandRun run = with(command, "--choice", "a,b", "--regex", "a");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("--choice").contains("--regex").contains("mutually exclusive");
    }

    @Test
    void functionsCannotBeCalledUnderAForm() throws IOException {
        CommandRun run = run("--tools", file("tools.json", "[]"), "--choice", "a");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("--tools takes none of");
    }

    @Test
    void aRefusedSchemaNamesPlaceAndKeyword() throws IOException {
        CommandRun run = run("--schema", file("refused.json", "{\"properties\":{\"a\":{\"pattern\":\"\\\\bx\"}}}"));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).startsWith("mixtral: #/properties/a: 'pattern' uses the word boundary");
        assertThat(run.out()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--regex|(a|mixtral: has an unmatched (",
                "--choice|a,,b|mixtral: a choice is empty",
            })
    void aRefusedFormIsOneLine(String option, String value, String message) {
        CommandRun run = run(option, value);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).startsWith(message).hasLineCount(1);
    }

    @Test
    void filesThatAreNoneAreWrongUsage() throws IOException {
        CommandRun broken = run("--schema", file("broken.json", "{\n\"type\": }"));
        assertThat(broken.exitCode()).isEqualTo(2);
        assertThat(broken.err()).contains("broken.json, line 2, is no JSON");

        CommandRun repeated = run("--schema", file("repeated.json", "{\"type\":\"null\",\"type\":\"string\"}"));
        assertThat(repeated.exitCode()).isEqualTo(2);
        assertThat(repeated.err()).contains("line 1, is no JSON").contains("type");

        Path latin = Files.write(folder.resolve("latin.gbnf"), new byte[] {(byte) 0xe9});
        assertThat(run("--grammar", latin.toString()).err()).contains("is not UTF-8");
        assertThat(run("--schema", "no/such.json").err()).contains("there is no file no/such.json");
        assertThat(run("--tools", file("tools.txt", "[")).exitCode()).isEqualTo(2);
    }
}

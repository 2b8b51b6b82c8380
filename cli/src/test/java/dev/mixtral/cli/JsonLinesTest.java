package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.error.InvalidRequestException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

class JsonLinesTest {
    private record Answer(int exitCode, List<String> lines) {}

    @Test
    void everyLineHasItsAnswer() throws IOException {
        assertThat(process("{\"n\":1}\n{\"n\":2}", JsonLinesTest::increment))
                .isEqualTo(new Answer(0, List.of("{\"n\":2}", "{\"n\":3}")));
    }

    @Test
    void badLinesAreAnsweredInPlaceAndTheOthersStillProcessed() throws IOException {
        Answer answer =
                process("{\"n\":1}\n{\"n\":\n\n[1]\n{\"n\":1,\"n\":1}\n{} {}\n{\"n\":5}\n", JsonLinesTest::increment);

        assertThat(answer.exitCode()).isEqualTo(1);
        assertThat(answer.lines()).hasSize(6);
        assertThat(answer.lines().get(0)).isEqualTo("{\"n\":2}");
        assertThat(answer.lines().get(1))
                .startsWith("{\"error\":\"not valid JSON")
                .endsWith("\"line\":2}");
        assertThat(answer.lines().get(2)).contains("expected a JSON object").endsWith("\"line\":4}");
        assertThat(answer.lines().get(3)).startsWith("{\"error\":").endsWith("\"line\":5}");
        assertThat(answer.lines().get(4)).startsWith("{\"error\":").endsWith("\"line\":6}");
        assertThat(answer.lines().get(5)).isEqualTo("{\"n\":6}");
    }

    @Test
    void typedFailuresOfTheAnswerAreReported() throws IOException {
        Answer answer = process("{}", object -> {
            throw new InvalidRequestException("messages", "the roles must alternate");
        });

        assertThat(answer).isEqualTo(new Answer(1, List.of("{\"error\":\"the roles must alternate\",\"line\":1}")));
    }

    @Test
    void noInputIsNoOutput() throws IOException {
        assertThat(process("", JsonLinesTest::increment)).isEqualTo(new Answer(0, List.of()));
    }

    @Test
    void idsAreChecked() throws IOException {
        UnaryOperator<ObjectNode> ids = object -> object.put("n", JsonLines.ids(object, "ids", 10).length);

        assertThat(process("{\"ids\":[0,9]}", ids).exitCode()).isZero();
        for (String bad : List.of(
                "{\"ids\":[10]}",
                "{\"ids\":[-1]}",
                "{\"ids\":[1.0]}",
                "{\"ids\":[99999999999]}",
                "{\"ids\":[\"1\"]}",
                "{\"ids\":1}",
                "{}")) {
            assertThat(process(bad, ids).lines())
                    .singleElement()
                    .asString()
                    .contains("error")
                    .contains("token id");
        }
    }

    private static ObjectNode increment(ObjectNode object) {
        return object.put("n", object.get("n").intValue() + 1);
    }

    private static Answer process(String input, UnaryOperator<ObjectNode> answer) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                Terminal.utf8(out),
                Terminal.utf8(OutputStream.nullOutputStream()),
                false,
                false,
                Path.of("."),
                false);
        int exitCode = JsonLines.process(terminal, answer);
        return new Answer(exitCode, out.toString(StandardCharsets.UTF_8).lines().toList());
    }
}

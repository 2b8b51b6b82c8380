package dev.mixtral.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.testing.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ToolCallStreamTest {
    private static final String TWO =
            " [{\"name\": \"f\", \"arguments\": {\"a\": \"x]}\\\"{\\\\\", \"b\": [1, {\"c\": {}}]}, \"id\": \"abcdefgh1\"},"
                    + " {\"name\": \"g_2\", \"arguments\": {}}]";

    @Test
    void howATextIsCutDoesNotMatter() {
        Random random = Seeds.random("pieces of calls");
        for (int i = 0; i < 200; i++) {
            ToolCallStream stream = new ToolCallStream();
            List<ToolCallStream.Piece> pieces = new ArrayList<>();
            int at = 0;
            while (at < TWO.length()) {
                int end = Math.min(TWO.length(), at + 1 + random.nextInt(1 + i % 20));
                assertThat(stream.isComplete()).isFalse();
                pieces.addAll(stream.append(TWO.substring(at, end)));
                at = end;
            }
            assertThat(stream.isComplete()).isTrue();
            assertThat(stream.calls())
                    .containsExactly(
                            new ToolCall(null, "f", "{\"a\": \"x]}\\\"{\\\\\", \"b\": [1, {\"c\": {}}]}"),
                            new ToolCall(null, "g_2", "{}"));
            assertThat(ToolCallParser.parse(TWO.strip(), () -> "x")).isPresent();
            assertThat(joined(pieces, 0)).isEqualTo(stream.calls().get(0).arguments());
            assertThat(joined(pieces, 1)).isEqualTo("{}");
            assertThat(pieces.getFirst()).isEqualTo(new ToolCallStream.Piece(0, "f", ""));
        }
    }

    private static String joined(List<ToolCallStream.Piece> pieces, int index) {
        StringBuilder text = new StringBuilder();
        pieces.stream().filter(piece -> piece.index() == index).forEach(piece -> text.append(piece.arguments()));
        return text.toString();
    }

    @Test
    void argumentsAreToldAsTheyCome() {
        ToolCallStream stream = new ToolCallStream();
        assertThat(stream.append("[{\"name\": \"f\", \"argum")).isEmpty();
        assertThat(stream.append("ents\": {\"x\""))
                .containsExactly(new ToolCallStream.Piece(0, "f", ""), new ToolCallStream.Piece(0, "f", "{\"x\""));
        assertThat(stream.append(": 1}}")).containsExactly(new ToolCallStream.Piece(0, "f", ": 1}"));
        assertThat(stream.isInForm()).isTrue();
        assertThat(stream.isComplete()).isFalse();
        assertThat(stream.append("]")).isEmpty();
        assertThat(stream.isComplete()).isTrue();
    }

    @Test
    void otherTextsAreNotInForm() {
        for (String text : List.of(
                "no",
                "{\"name\": \"f\"}",
                "[]",
                "[{\"name\":\"f\"",
                "[{\"name\": \"f\", \"argumenta",
                "[{\"name\": \"f\", \"arguments\": 1",
                "[{\"name\": \"f\", \"arguments\": {}, \"x\": 1",
                "[{\"name\": \"f\", \"arguments\": {}}]]",
                "[{\"name\": \"f\", \"arguments\": {}}}")) {
            ToolCallStream stream = new ToolCallStream();
            for (int i = 0; i < text.length(); i++) {
                stream.append(text.substring(i, i + 1));
            }
            assertThat(stream.isInForm()).as(text).isFalse();
            assertThat(stream.append("more")).isEmpty();
        }
    }
}

package dev.mixtral.server.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchLineTest {
    private static BatchLine parse(String text) {
        return BatchLine.parse(7, text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aRequestIsRead() {
        BatchLine line = parse("{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\","
                + "\"body\":{\"prompt\":\"x\",\"stream\":false},\"extra\":1}");

        assertThat(line).isInstanceOf(BatchLine.Request.class);
        BatchLine.Request request = (BatchLine.Request) line;
        assertThat(request.number()).isEqualTo(7);
        assertThat(request.customId()).isEqualTo("a");
        assertThat(request.url()).isEqualTo("/v1/completions");
        assertThat(request.body().path("prompt").stringValue()).isEqualTo("x");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"custom_id":"a"                                                   | invalid_json_line  |   |
            []                                                                 | invalid_json_line  |   |
            {"custom_id":"a"} x                                                | invalid_json_line  |   |
            {}                                                                 | missing_custom_id  |   | got nothing
            {"custom_id":5}                                                    | missing_custom_id  |   | got 5
            {"custom_id":""}                                                   | missing_custom_id  |   |
            {"custom_id":"a"}                                                  | invalid_method     | a | got nothing
            {"custom_id":"a","method":"GET"}                                   | invalid_method     | a | got "GET"
            {"custom_id":"a","method":"POST","url":"/v1/models"}               | invalid_url        | a | "/v1/models"
            {"custom_id":"a","method":"POST","url":"/v1/completions"}          | invalid_body       | a | got nothing
            {"custom_id":"a","method":"POST","url":"/v1/completions","body":1} | invalid_body       | a | got 1
            {"custom_id":"a","method":"POST","url":"/v1/completions","body":{"stream":true}} | unsupported_stream | a | stream
            """)
    void whatIsNoRequestSaysWhy(String text, String code, String customId, String message) {
        BatchLine line = parse(text);

        assertThat(line).isInstanceOf(BatchLine.Unusable.class);
        BatchLine.Unusable bad = (BatchLine.Unusable) line;
        assertThat(bad.number()).isEqualTo(7);
        assertThat(bad.code()).isEqualTo(code);
        assertThat(bad.customId()).isEqualTo(customId);
        assertThat(bad.message()).contains(message == null ? "" : message).doesNotContain("HINT");
    }

    @Test
    void brokenUtf8IsNoJson() {
        BatchLine line = BatchLine.parse(1, "{\"custom_id\":\"\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1));

        assertThat(line).isInstanceOf(BatchLine.Unusable.class);
        assertThat(((BatchLine.Unusable) line).code()).isEqualTo("invalid_json_line");
    }
}

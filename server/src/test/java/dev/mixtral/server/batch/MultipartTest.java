package dev.mixtral.server.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.server.wire.ApiException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MultipartTest {
    private static final String TYPE = "multipart/form-data; boundary=XY";
    private static final String BODY = String.join(
            "\r\n",
            "--XY",
            "Content-Disposition: form-data; name=\"purpose\"",
            "",
            "batch",
            "--XY",
            "Content-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".jsonl\"",
            "Content-Type: application/json",
            "",
            "line 1",
            "--X is no boundary\n",
            "",
            "--XY",
            "Content-Disposition: form-data; name=empty",
            "",
            "",
            "--XY--",
            "");

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Multipart.Part part(Map<String, Multipart.Part> form, String name) {
        return Objects.requireNonNull(form.get(name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                TYPE,
                "Multipart/Form-Data;boundary=\"XY\"",
                "multipart/form-data; charset=utf-8; boundary=XY; x=y"
            })
    void fieldsAndFilesAreRead(String type) {
        Map<String, Multipart.Part> form = Multipart.parse(type, bytes(BODY));

        assertThat(form).containsOnlyKeys("purpose", "file", "empty");
        assertThat(part(form, "purpose").text()).isEqualTo("batch");
        assertThat(part(form, "purpose").filename()).isNull();
        assertThat(part(form, "file").text()).isEqualTo("line 1\r\n--X is no boundary\n\r\n");
        assertThat(part(form, "file").filename()).isEqualTo("a \"b\".jsonl");
        assertThat(part(form, "empty").text()).isEmpty();
    }

    @Test
    void aPreambleIsSkipped() {
        assertThat(Multipart.parse(TYPE, bytes("hello\r\n" + BODY))).containsKey("file");
    }

    @Test
    void everyTruncationIsAnErrorOfTheClient() {
        byte[] whole = bytes(BODY);
        int lastBoundary = BODY.lastIndexOf("--XY--") + "--XY--".length();
        for (int length = 0; length < lastBoundary; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> Multipart.parse(TYPE, cut))
                    .as("cut at %d", length)
                    .isInstanceOf(ApiException.class)
                    .hasMessageContaining("Could not parse multipart form");
        }
        assertThat(Multipart.parse(TYPE, Arrays.copyOf(whole, lastBoundary))).hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "application/json", "multipart/form-data", "multipart/form-data; boundary="})
    void otherTypesAreRefused(String type) {
        assertThatThrownBy(() -> Multipart.parse(type, bytes(BODY)))
                .isInstanceOf(ApiException.class)
                .hasMessageContaining("boundary");
    }
}

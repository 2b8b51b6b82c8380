package dev.mixtral.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.InvalidRequestException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `json.dumps(json.loads(text), ensure_ascii=False)`, as Python 3 prints it.
class PythonJsonTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "22;22",
                "0.50;0.5",
                "1E5;100000.0",
                "1e10;10000000000.0",
                "0.1e-7;1e-08",
                "-0.0;-0.0",
                "-0;0",
                "1e15;1000000000000000.0",
                "1e16;1e+16",
                "123456789012345678.5;1.2345678901234568e+17",
                "0.0001;0.0001",
                "0.00001;1e-05",
                "1.5e300;1.5e+300",
                "5e-324;5e-324",
                "2e-323;2e-323",
                "1e400;Infinity",
                "2e23;2e+23",
                "0.1;0.1",
                "0.30000000000000004;0.30000000000000004",
                "12345678901234567890;12345678901234567890",
                "NaN;NaN",
                "-Infinity;-Infinity",
                "{\"b\":1,\"a\":[1,2 , {}]};{\"b\": 1, \"a\": [1, 2, {}]}",
                "{\"a\":1,\"b\":2,\"a\":3};{\"a\": 3, \"b\": 2}",
                "\"\\u00e9\\u2014\\ud83d\\ude00\";\"é—😀\"",
                "\"\\n\\t\\r\\b\\f\\u0001\\u007f\\/\\\\\\\"\";\"\\n\\t\\r\\b\\f\\u0001\u007f/\\\\\\\"\"",
                "[true, false ,null];[true, false, null]",
                "[];[]",
            })
    void writesAsPython(String text, String expected) {
        assertThat(PythonJsonReader.loads(text, "x").map(PythonJson::dumps)).contains(expected);
    }

    @Test
    void halvesOfSurrogatePairsStayEscaped() {
        String text = "[\"\\ud800\", \"a\\udc00\", \"\\ud83d\\ud83d\\ude00\"]";
        assertThat(PythonJsonReader.loads(text, "x").map(PythonJson::dumps))
                .contains("[\"\\ud800\", \"a\\udc00\", \"\\ud83d😀\"]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "abc",
                "01",
                "1.",
                ".5",
                "+1",
                "[1,]",
                "{\"a\":1,}",
                "{a:1}",
                "'a'",
                "\"a\nb\"",
                "\"\\x\"",
                "nul",
                "1 2",
                "[1",
                "\"a",
                "{\"a\"}",
                "\ufeff1",
                "-",
                "inf",
                "\"\\u12\"",
                "0x10",
                "1e",
                "\u00a01"
            })
    void knowsWhatIsNoJson(String text) {
        assertThat(PythonJsonReader.loads(text, "x")).isEmpty();
    }

    @Test
    void limitsDepthAndDigits() {
        assertThat(PythonJsonReader.loads("[".repeat(400) + "]".repeat(400), "x"))
                .isPresent();
        assertThatThrownBy(() -> PythonJsonReader.loads("[".repeat(100_000), "x"))
                .isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> PythonJsonReader.loads("9".repeat(5000), "x"))
                .isInstanceOf(InvalidRequestException.class);
    }

    @Test
    void indentsAsPython() {
        var value = PythonJsonReader.loads("{\"a\":[1,{}],\"b\":[]}", "x").orElseThrow();
        assertThat(PythonJson.dumps(value, 2)).isEqualTo("{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
    }
}

package dev.mixtral.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigurationTest {
    @TempDir
    private Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("mixtral.yaml"), text);
    }

    private Configuration load(String text) throws IOException {
        return Configuration.load(Map.of(), Map.of(), file(text));
    }

    @Test
    void flagsWinOverTheEnvironmentAndThatOverTheFile() throws IOException {
        Path file = file("""
                port: 1
                threads: 1
                context-tokens: 1
                """);
        Map<String, String> environment = Map.of("MIXTRAL_PORT", "2", "MIXTRAL_THREADS", "2");
        Configuration merged = Configuration.load(Map.of("port", "3"), environment, file);
        assertThat(merged.get(ConfigKeys.PORT)).isEqualTo(3);
        assertThat(merged.get(ConfigKeys.THREADS)).isEqualTo(2);
        assertThat(merged.get(ConfigKeys.CONTEXT_TOKENS)).isEqualTo(1);
        assertThat(merged.get(ConfigKeys.MAX_CHOICES)).isEqualTo(128);
        assertThat(merged.source(ConfigKeys.PORT)).hasToString("flag --port");
        assertThat(merged.source(ConfigKeys.THREADS)).hasToString("environment MIXTRAL_THREADS");
        assertThat(merged.source(ConfigKeys.CONTEXT_TOKENS)).hasToString(file + ":3");
        assertThat(merged.source(ConfigKeys.MAX_CHOICES)).hasToString("default");
    }

    @Test
    void aVariableNamesTheFileWhereNoFlagDoes() throws IOException {
        Path file = file("port: 1\n");
        Map<String, String> environment = Map.of("MIXTRAL_CONFIG", file.toString());
        assertThat(Configuration.load(Map.of(), environment, null).get(ConfigKeys.PORT))
                .isEqualTo(1);
        Path other = Files.writeString(folder.resolve("other.yaml"), "port: 2\n");
        assertThat(Configuration.load(Map.of(), environment, other).get(ConfigKeys.PORT))
                .isEqualTo(2);
    }

    @Test
    void listsAreListsInTheFileAndPartedByCommasElsewhere() throws IOException {
        assertThat(load("models: [a.gguf, \"b=/x, y/b.gguf\"]").get(ConfigKeys.MODELS))
                .containsExactly("a.gguf", "b=/x, y/b.gguf");
        assertThat(load("models:\n- a.gguf\n").get(ConfigKeys.MODELS)).containsExactly("a.gguf");
        assertThat(load("models: a.gguf").get(ConfigKeys.MODELS)).containsExactly("a.gguf");
        assertThat(load("models: []").get(ConfigKeys.MODELS)).isEmpty();
        assertThat(Configuration.load(Map.of("models", "a, b,"), Map.of(), null).get(ConfigKeys.MODELS))
                .containsExactly("a", "b");
    }

    @Test
    void timesMayHaveFractions() throws IOException {
        assertThat(load("drain-timeout-seconds: 0.25").get(ConfigKeys.DRAIN_TIMEOUT_SECONDS))
                .isEqualTo(Duration.ofMillis(250));
        assertThat(load("drain-timeout-seconds: 0").get(ConfigKeys.DRAIN_TIMEOUT_SECONDS))
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "---\n"})
    void anEmptyFileSetsNothing(String text) throws IOException {
        assertThat(load(text).toYaml())
                .isEqualTo(Configuration.load(Map.of(), Map.of(), null).toYaml());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            prot: 1                        | there is no setting 'prot'. Did you mean port?
            max_body_bytes: 1              | there is no setting 'max_body_bytes'. Did you mean max-body-bytes?
            quux: 1                        | there is no setting 'quux'. 'mixtral serve --help' lists
            port: 80.5                     | port: expected an integer 0 to 65535, got '80.5'
            port: 65536                    | port: expected an integer 0 to 65535, got '65536'
            port: 99999999999              | port: expected an integer 0 to 65535, got '99999999999'
            port:                          | port has no value
            port: [1]                      | port: expected an integer 0 to 65535, got a list
            port: {a: 1}                   | port: expected a plain value, got a structure
            models: [[1]]                  | models: expected a plain value, got a structure
            exact: yes                     | exact: expected true or false, got 'yes'
            log-level: verbose             | log-level: expected one of error, warning, info, debug, got 'verbose'
            drain-timeout-seconds: -1      | drain-timeout-seconds: expected a number of seconds, 0 or more, got '-1'
            drain-timeout-seconds: 30s     | drain-timeout-seconds: expected a number of seconds, 0 or more, got '30s'
            drain-timeout-seconds: 1e99    | drain-timeout-seconds: expected a number of seconds, 0 or more, got '1e99'
            idle-timeout-seconds: 0        | idle-timeout-seconds: expected a number of seconds above 0, got '0'
            - port                         | expected lines of the form 'name: value'
            port                           | expected lines of the form 'name: value'
            """)
    void aMistakeInTheFileIsNamedWithItsLine(String line, String message) throws IOException {
        Path file = file("# first line\n" + line + "\n");
        assertThatThrownBy(() -> Configuration.load(Map.of(), Map.of(), file))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(file + ":2: ")
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"port: 1\nport: 2\n", "port: [1\n", "port: 1\n---\nport: 2\n", "\tport: 1", "port: \"1\n"})
    void brokenYamlIsRefused(String text) throws IOException {
        Path file = file(text);
        assertThatThrownBy(() -> Configuration.load(Map.of(), Map.of(), file))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(file + ":");
    }

    @Test
    void aFileThatIsMissingOrNotTextIsRefused() throws IOException {
        Path missing = folder.resolve("missing.yaml");
        assertThatThrownBy(() -> Configuration.load(Map.of(), Map.of(), missing))
                .isInstanceOf(ConfigException.class)
                .hasMessage("there is no configuration file " + missing);
        Path binary = Files.write(folder.resolve("binary.yaml"), new byte[] {(byte) 0xff, 0});
        assertThatThrownBy(() -> Configuration.load(Map.of(), Map.of(), binary))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("not UTF-8");
    }

    @Test
    void aMistakeThatAStrongerSourceHidesIsStillAMistake() throws IOException {
        Path file = file("port: none\n");
        assertThatThrownBy(() -> Configuration.load(Map.of("port", "1"), Map.of(), file))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void anUnknownVariableOrFlagIsRefused() {
        assertThatThrownBy(() -> Configuration.load(Map.of(), Map.of("MIXTRAL_MAX_CHOICE", "1"), null))
                .isInstanceOf(ConfigException.class)
                .hasMessage("environment: there is no setting for the variable MIXTRAL_MAX_CHOICE."
                        + " Did you mean MIXTRAL_MAX_CHOICES?");
        assertThatThrownBy(() -> Configuration.load(Map.of("thread", "1"), Map.of(), null))
                .isInstanceOf(ConfigException.class)
                .hasMessage("there is no flag --thread. Did you mean threads?");
    }

    @Test
    void variablesOfOthersAndEmptyOnesAreNotLookedAt() {
        Map<String, String> environment = Map.of(
                "PATH", "/bin",
                "MIXTRAL_PORT", "",
                "MIXTRAL_JAVA_OPTS", "-Xmx1g",
                "MIXTRAL_SERVICE_HOST", "10.0.0.1",
                "MIXTRAL_SERVICE_PORT_HTTP", "80",
                "MIXTRAL_PORT_80_TCP_ADDR", "10.0.0.1",
                "MIXTRAL_API_PORT_80_TCP", "tcp://10.0.0.1:80");
        assertThat(Configuration.load(Map.of(), environment, null).get(ConfigKeys.PORT))
                .isEqualTo(8080);
    }

    @Test
    void aVariableThatKubernetesSetForAServiceIsExplained() {
        assertThatThrownBy(() -> Configuration.load(Map.of(), Map.of("MIXTRAL_PORT", "tcp://10.0.0.1:80"), null))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("enableServiceLinks: false");
    }

    @Test
    void secretsAreRefusedAsFlagsAndNeverShown() throws IOException {
        assertThatThrownBy(() -> Configuration.load(Map.of("api-keys", "sk-hush"), Map.of(), null))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("MIXTRAL_API_KEYS")
                .hasMessageNotContaining("sk-hush");
        Configuration both = Configuration.load(
                Map.of(), Map.of("MIXTRAL_API_KEYS", "sk-hush,alice sk-hush2"), file("api-keys: [sk-file]"));
        assertThat(both.toYaml())
                .contains("# api-keys: 2 not shown  # environment MIXTRAL_API_KEYS\n")
                .doesNotContain("sk-");
    }

    @Test
    void whatIsPrintedSetsTheSameAgain() throws IOException {
        Configuration first = load("""
                host: "::1"
                models: [a.gguf, "b=/x, y/\\"b\\".gguf"]
                model-aliases: ["*"]
                drain-timeout-seconds: 1.5
                provider-slug: "null"
                kernels: "native:avx2"
                cors-origin: "https://example.org # no comment"
                """);
        Configuration second = load(first.toYaml());
        for (ConfigKey<?> key : ConfigKeys.ALL) {
            assertThat(second.get(key)).as(key.name()).isEqualTo(first.get(key));
        }
        assertThat(first.toYaml()).contains("port: 8080  # default\n");
    }

    @Test
    void fileNamesWithBlanksAndUmlautsWork() throws IOException {
        Path file = Files.write(folder.resolve("mein Mixtral ü.yaml"), "port: 5".getBytes(StandardCharsets.UTF_8));
        assertThat(Configuration.load(Map.of(), Map.of(), file).get(ConfigKeys.PORT))
                .isEqualTo(5);
    }
}

package dev.mixtral.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.ServerConfig;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ConfigKeysTest {
    static List<ConfigKey<?>> keys() {
        return ConfigKeys.ALL;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', emptyValue = "", textBlock = """
            host                       | 127.0.0.1
            port                       | 8080
            models                     | ''
            model-aliases              | ''
            lora                       | ''
            dialect                    | openai
            stream-keep-alive          | comment
            stream-keep-alive-seconds  | 15
            stream-start-delay-seconds | 2
            provider-slug              | self
            data-dir                   | ''
            api-keys                   | ''
            api-keys-file              | ''
            protect-metrics            | false
            allow-runtime-lora-updating | false
            cors-origin                | *
            threads                    | 0
            kernels                    | auto
            context-tokens             | 0
            kv-cache-type              | auto
            exact                      | false
            max-num-seqs               | 16
            max-num-batched-tokens     | 512
            kv-cache-tokens            | 0
            prefix-cache               | true
            max-waiting                | 256
            queue-timeout-seconds      | 300
            max-body-bytes             | 33554432
            max-header-bytes           | 32768
            max-request-line-bytes     | 8192
            max-connections            | 4096
            max-choices                | 128
            max-requests-per-key       | 0
            header-timeout-seconds     | 15
            body-timeout-seconds       | 120
            idle-timeout-seconds       | 120
            stall-timeout-seconds      | 60
            drain-timeout-seconds      | 30
            log-level                  | info
            log-format                 | text
            log-requests               | true
            log-content                | false
            """)
    void defaultsAreTheDocumentedOnes(String name, String text) {
        Configuration nothingSet = Configuration.load(Map.of(), Map.of(), null);
        ConfigKey<?> key = ConfigKeys.find(name).orElseThrow();
        assertThat(text(nothingSet, key)).isEqualTo(text);
        assertThat(nothingSet.source(key)).isEqualTo(new Source.Default());
    }

    private static <T> String text(Configuration configuration, ConfigKey<T> key) {
        return key.type().write(configuration.get(key));
    }

    @Test
    void theDefaultOfEveryKeyIsTested() throws NoSuchMethodException {
        CsvSource table = ConfigKeysTest.class
                .getDeclaredMethod("defaultsAreTheDocumentedOnes", String.class, String.class)
                .getAnnotation(CsvSource.class);
        List<String> tested = table.textBlock()
                .lines()
                .map(line -> line.substring(0, line.indexOf('|')).strip())
                .toList();
        assertThat(tested).containsExactlyElementsOf(ConfigKeys.names());
    }

    @Test
    void everyConstantIsListedOnce() {
        List<Object> constants = Arrays.stream(ConfigKeys.class.getFields())
                .filter(field -> Modifier.isStatic(field.getModifiers()) && field.getType() == ConfigKey.class)
                .map(ConfigKeysTest::valueOf)
                .toList();
        assertThat(ConfigKeys.ALL).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(keysOf(constants));
        assertThat(ConfigKeys.names()).doesNotHaveDuplicates();
    }

    private static Object valueOf(Field field) {
        try {
            return field.get(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    private static List<ConfigKey<?>> keysOf(List<Object> constants) {
        return constants.stream().<ConfigKey<?>>map(key -> (ConfigKey<?>) key).toList();
    }

    @ParameterizedTest
    @MethodSource("keys")
    void namesAreLowerCaseWithDashes(ConfigKey<?> key) {
        assertThat(key.name()).matches("[a-z]+(-[a-z]+)*");
        assertThat(key.description()).endsWith(".");
    }

    @ParameterizedTest
    @MethodSource("keys")
    void everyKeyIsReadFromItsFlagAndItsVariable(ConfigKey<?> key) {
        String text = sample(key);
        Configuration fromVariable = Configuration.load(Map.of(), Map.of(key.environmentName(), text), null);
        assertThat(fromVariable.source(key)).isEqualTo(new Source.Environment(key.environmentName()));
        assertThat(text(fromVariable, key)).isEqualTo(text);
        if (!key.isSecret()) {
            Configuration fromFlag = Configuration.load(Map.of(key.name(), text), Map.of(), null);
            assertThat(fromFlag.source(key)).isEqualTo(new Source.Flag(key.flag()));
            assertThat(text(fromFlag, key)).isEqualTo(text);
        }
    }

    /// Returns a value that is not the default.
    private static String sample(ConfigKey<?> key) {
        return switch (key.defaultValue()) {
            case Boolean value -> String.valueOf(!value);
            case Enum<?> _ -> key.type().expected().replaceAll(".*, ", "");
            case List<?> _ -> "one,two";
            case String _ when key.equals(ConfigKeys.KV_CACHE_TYPE) -> "f32";
            case String _ -> "text";
            default -> "7";
        };
    }

    @Test
    void defaultsAreThoseOfTheServer() {
        Configuration nothingSet = Configuration.load(Map.of(), Map.of(), null);
        var server = ServerConfig.builder();
        assertThat(Settings.server(nothingSet, Path.of("models/tiny")))
                .isEqualTo(server.models(List.of(new ModelSpec(Path.of("models/tiny"), "tiny", List.of())))
                        .build());
    }
}

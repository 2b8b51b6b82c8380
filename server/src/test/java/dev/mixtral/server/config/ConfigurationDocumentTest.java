package dev.mixtral.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.config.ConfigKey.Section;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The tables of docs/configuration.md are those of the code. A failure shows the table to paste.
class ConfigurationDocumentTest {
    private static String document() throws IOException {
        return Files.readString(Path.of(System.getProperty("mixtral.home"), "docs", "configuration.md"));
    }

    @ParameterizedTest
    @EnumSource(Section.class)
    void everySectionHasItsTable(Section section) throws IOException {
        assertThat(document()).contains(table(section));
    }

    @Test
    void noOtherRowsAreThere() throws IOException {
        long rows = document().lines().filter(line -> line.startsWith("| `--")).count();
        assertThat(rows).isEqualTo(ConfigKeys.ALL.size());
    }

    private static String table(Section section) {
        return ConfigKeys.ALL.stream()
                .filter(key -> key.section() == section)
                .map(ConfigurationDocumentTest::row)
                .collect(Collectors.joining(
                        "",
                        "## " + section.name().charAt(0)
                                + section.name().substring(1).toLowerCase(Locale.ROOT)
                                + "\n\n| flag | environment | default | value | what it does |\n|---|---|---|---|---|\n",
                        ""));
    }

    private static <T> String row(ConfigKey<T> key) {
        String text = key.type().write(key.defaultValue());
        return "| `" + key.flag() + "`" + (key.isSecret() ? ", not as a flag" : "")
                + " | `" + key.environmentName()
                + "` | " + (text.isEmpty() ? "none" : "`" + text + "`")
                + " | " + key.type().expected().replace("|", "\\|")
                + " | " + key.description() + " |\n";
    }
}

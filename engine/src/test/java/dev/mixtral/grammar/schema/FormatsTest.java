package dev.mixtral.grammar.schema;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Holds the formats in the documentation against the code.
class FormatsTest {
    private static final Path HOME = Path.of(System.getProperty("mixtral.home", ".."));

    @Test
    void theTableNamesTheFormatsThatAreEnforced() throws IOException {
        String row = Files.readAllLines(HOME.resolve("docs/structured-output.md")).stream()
                .filter(line -> line.startsWith("| `format` |"))
                .findFirst()
                .orElseThrow();
        String enforced = row.substring(row.indexOf("| ", 1) + 2, row.indexOf(';'));
        assertThat(Pattern.compile(", ").splitAsStream(enforced)).containsExactlyInAnyOrderElementsOf(Formats.names());
    }
}

package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Holds the table of keywords in the documentation against the code and against the cases that are tested.
class KeywordTableTest {
    private static final Path HOME = Path.of(System.getProperty("mixtral.home", ".."));
    private static final Path SOURCES = HOME.resolve("engine/src/main/java/dev/mixtral/grammar/schema");
    /// Parts of other keywords, and names that are not keywords.
    private static final Set<String> NOT_KEYWORDS = Set.of("null", "false", "true");

    private static Set<String> documented() throws IOException {
        Set<String> keywords = new TreeSet<>();
        for (String line : Files.readAllLines(HOME.resolve("docs/structured-output.md"))) {
            if (line.startsWith("| `")) {
                Matcher name = Pattern.compile("`([^`]+)`").matcher(line.substring(0, line.indexOf('|', 1)));
                while (name.find()) {
                    keywords.add(name.group(1));
                }
            }
        }
        return keywords;
    }

    /// Returns the keywords that the sources read.
    private static Set<String> read() throws IOException {
        Set<String> keywords = new TreeSet<>();
        Pattern use =
                Pattern.compile("(?:guard\\(\\s*location, |node\\.has\\(|node\\.get\\(|node\\.path\\()\"([^\"]+)\"");
        try (Stream<Path> files = Files.list(SOURCES)) {
            for (Path file : files.sorted().toList()) {
                Matcher name = use.matcher(Files.readString(file));
                while (name.find()) {
                    keywords.add(name.group(1));
                }
            }
        }
        keywords.addAll(List.of(
                "dependencies",
                "dependentRequired",
                "dependentSchemas",
                "$id",
                "id",
                "$anchor",
                "$dynamicAnchor",
                "$schema",
                "$defs",
                "definitions"));
        keywords.removeAll(NOT_KEYWORDS);
        return keywords;
    }

    @Test
    void theTableHasWhatTheCodeReads() throws IOException {
        assertThat(documented()).containsAll(read());
    }

    @Test
    void everyEnforcedKeywordIsTested() throws IOException {
        String cases =
                SchemaKeywordsTest.cases().map(SchemaKeywordsTest.Case::schema).toList() + "";
        for (String keyword : read()) {
            boolean variant = Set.of("$recursiveRef", "$recursiveAnchor", "id").contains(keyword);
            assertThat(variant || cases.contains("'" + keyword + "'"))
                    .as(keyword)
                    .isTrue();
        }
    }
}

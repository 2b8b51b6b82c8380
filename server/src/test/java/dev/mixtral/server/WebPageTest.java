package dev.mixtral.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The web page's files: whole, free of what its content security policy forbids, and, where Node is at hand, its
/// modules against their own tests. How the page behaves in a browser is for `src/test/web/browser-check.mjs`.
class WebPageTest {
    private static final Path PAGE = Path.of("src", "main", "resources", "web");
    private static final Path TESTS = Path.of("src", "test", "web");
    private static final int OLDEST_NODE = 20;
    private static final Pattern REFERENCE =
            Pattern.compile("(?:\\b(?:src|href)=\"|\\bfrom \"\\./|^import \"\\./)([^\"#]+)\"", Pattern.MULTILINE);

    @Test
    void everyFileThatIsReferredToIsThereAndNoneIsLeftOver() {
        Map<String, String> files = files();
        List<String> references =
                files.values().stream().flatMap(WebPageTest::references).toList();
        assertThat(references).contains("app.js", "style.css", "theme.js").allMatch(files::containsKey);
        assertThat(files.keySet()).allMatch(name -> name.equals("index.html") || references.contains(name));
    }

    @Test
    void thePolicyForbidsNothingThatThePageDoes() {
        String html = files().getOrDefault("index.html", "");
        assertThat(html)
                .doesNotContainPattern("(?i)<style|\\sstyle=|\\son[a-z]+=|javascript:|<base|<iframe")
                .doesNotContainPattern("<script(?![^>]*\\ssrc=\")");
    }

    @Test
    void nothingComesFromElsewhereAndNoTextBecomesMarkup() {
        files().forEach((name, text) -> {
            if (name.endsWith(".html") || name.endsWith(".css")) {
                assertThat(text).as(name).doesNotContainPattern("(?:src|href)=\"(?:https?:)?//|@import|url\\(");
            }
            assertThat(text)
                    .as(name)
                    .doesNotContainPattern("\\.(?:inner|outer)HTML\\b|insertAdjacentHTML|document\\.write|\\beval\\(");
        });
    }

    @Test
    void modulesPassTheirOwnTests() throws IOException, InterruptedException {
        assumeTrue(
                nodeMajor() >= OLDEST_NODE, "Node " + OLDEST_NODE + " or newer is not on PATH: its tests did not run");
        List<String> command = new ArrayList<>(List.of("node", "--test"));
        try (Stream<Path> tests = Files.list(TESTS)) {
            tests.map(Path::toString)
                    .filter(name -> name.endsWith(".test.js"))
                    .sorted()
                    .forEach(command::add);
        }
        assertThat(command).hasSizeGreaterThan(2);
        Run run = run(command);
        assertThat(run.exitCode()).as(run.output()).isZero();
        assertThat(run.output()).containsPattern("pass [1-9]");
    }

    private static Stream<String> references(String text) {
        return REFERENCE.matcher(text).results().map((MatchResult match) -> match.group(1));
    }

    /// Returns the page's files by name.
    private static Map<String, String> files() {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> paths = Files.list(PAGE)) {
            for (Path path : paths.toList()) {
                files.put(path.getFileName().toString(), Files.readString(path));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return files;
    }

    /// Returns the major version of Node, or 0 if there is none.
    private static int nodeMajor() throws InterruptedException {
        try {
            String version = run(List.of("node", "--version")).output().strip();
            return version.matches("v\\d+\\..*") ? Integer.parseInt(version.substring(1, version.indexOf('.'))) : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    private record Run(int exitCode, String output) {}

    private static Run run(List<String> command) throws IOException, InterruptedException {
        File output = File.createTempFile("node", ".txt");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output)
                    .start();
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                process.destroyForcibly().waitFor();
            }
            return new Run(process.exitValue(), Files.readString(output.toPath()));
        } finally {
            Files.delete(output.toPath());
        }
    }
}

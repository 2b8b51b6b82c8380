package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Commands that the documents and `deploy/` spell out are ones that the program has, flags included.
class DocumentedCommandsTest {
    private static final Path HOME = Path.of(System.getProperty("mixtral.home"));
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```sh\\n(.*?)^```$");
    private static final Pattern COMMAND = Pattern.compile("(?:^|[|$(;&]\\s*)(?:\\./)?mixtral ([a-z-]+)(.*)$");
    private static final Pattern FLAG = Pattern.compile("(?<= )--?[a-zA-Z][a-z-]*");

    @TempDir
    private Path folder;

    private final Map<String, String> help = new HashMap<>();

    private String help(String command) {
        return help.computeIfAbsent(command, name -> {
            CommandRun run = CommandRun.of(name, "--help");
            assertThat(run.exitCode()).as("mixtral " + name).isZero();
            return run.out();
        });
    }

    private static String text(String file) throws IOException {
        return Files.readString(HOME.resolve(file));
    }

    private static String only(Pattern pattern, String text) {
        List<MatchResult> found = pattern.matcher(text).results().toList();
        assertThat(found).as(pattern.pattern()).hasSize(1);
        return found.getFirst().group(1);
    }

    private static Stream<String> lines(String document) {
        return BLOCK.matcher(document)
                .results()
                .flatMap(block -> block.group(1).replace("\\\n", " ").lines())
                .map(line -> line.replaceAll("\\s#.*", ""));
    }

    @Test
    void documentsNameCommandsAndFlagsThatThereAre() throws IOException {
        List<Path> documents = new ArrayList<>(List.of(HOME.resolve("README.md")));
        try (Stream<Path> files = Files.list(HOME.resolve("docs"))) {
            files.filter(file -> file.toString().endsWith(".md")).forEach(documents::add);
        }
        int numCommands = 0;
        for (Path document : documents) {
            for (String line : lines(Files.readString(document)).toList()) {
                for (MatchResult command : COMMAND.matcher(line).results().toList()) {
                    numCommands++;
                    String known = help(command.group(1));
                    FLAG.matcher(command.group(2))
                            .results()
                            .map(MatchResult::group)
                            .forEach(flag -> assertThat(known)
                                    .as(document.getFileName() + ": " + line)
                                    .containsPattern(Pattern.quote(flag) + "(?![a-z-])"));
                }
            }
        }
        assertThat(numCommands).isGreaterThan(25);
    }

    /// Runs the arguments of a deployed server on a configuration, as far as printing what it would do.
    private void assertStarts(List<String> arguments, String configuration) throws IOException {
        List<String> command = new ArrayList<>(arguments);
        int config = command.indexOf("--config");
        if (config >= 0) {
            command.set(
                    config + 1,
                    Files.writeString(folder.resolve("c.yaml"), configuration).toString());
        }
        command.add("--print-config");
        CommandRun run = CommandRun.of(command.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).contains("# default");
    }

    @Test
    void theUnitStartsTheServer() throws IOException {
        String command = only(
                Pattern.compile("(?m)^ExecStart=/opt/mixtral/bin/mixtral (.*)$"),
                text("deploy/systemd/mixtral.service"));
        assertStarts(List.of(command.split(" ")), text("deploy/mixtral.yaml"));
    }

    @Test
    void theManifestStartsTheServer() throws IOException {
        String arguments = only(Pattern.compile("(?m)^ +args: \\[(.*)]$"), text("deploy/kubernetes/deployment.yaml"));
        String configuration =
                only(Pattern.compile("(?ms)^ {2}mixtral\\.yaml: \\|\\n(.*)"), text("deploy/kubernetes/configmap.yaml"));
        assertStarts(List.of(arguments.split(", ")), configuration.stripIndent());
    }

    @Test
    void theImageStartsTheServerAndAsksForItsHealth() throws IOException {
        String image = text("deploy/docker/Dockerfile");
        String main = "\"" + Main.class.getName() + "\"";
        assertThat(only(Pattern.compile("(?m)^ENTRYPOINT \\[(.*)]$"), image)).endsWith(main);
        assertStarts(
                List.of(only(Pattern.compile("(?m)^CMD \\[\"(.*)\"]$"), image).split("\", \"")), "");
        String health = only(Pattern.compile("(?m)^HEALTHCHECK .* CMD \\[(.*)]$"), image);
        assertThat(health).contains(main + ", ");
        assertThat(help(health.substring(health.lastIndexOf(" \"") + 2, health.length() - 1)))
                .startsWith("Usage: mixtral health");
        assertThat(text("deploy/install")).contains("dev.mixtral.cli.Main \"$@\"");
    }
}

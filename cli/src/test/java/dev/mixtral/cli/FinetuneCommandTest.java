package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.train.finetune.FinetuneKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `mixtral finetune` and `mixtral validate-data` as far as they go without PyTorch.
class FinetuneCommandTest {
    private static final Path HOME = Path.of(System.getProperty("mixtral.home", ".."));
    private static final String GOOD = """
            {"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello!"}]}
            """;

    @TempDir
    private Path folder = Path.of("");

    private String file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private static CommandRun run(String... args) {
        return CommandRun.of(HOME, "", args);
    }

    @Test
    void goodDataAreCounted() throws IOException {
        CommandRun run = run("validate-data", file("good.jsonl", GOOD + GOOD));
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .containsPattern("2 examples, \\d+ tokens, of which \\d+ are learned; the longest has \\d+");
        assertThat(run.out().lines()).hasSize(1);
    }

    @Test
    void everyBadExampleIsNamedWithFileLineAndFault() throws IOException {
        String bad = file("bad.jsonl", GOOD + "{}\n" + GOOD + "{\"messages\":[]}\n");
        String alsoBad = file("text.jsonl", "{\"text\":\"\"}\n");
        CommandRun run = run("validate-data", bad, alsoBad);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.out().lines().limit(3))
                .satisfiesExactly(
                        line -> assertThat(line).startsWith(bad + ":2: expected 'messages'"),
                        line -> assertThat(line).isEqualTo(bad + ":4: messages is empty"),
                        line -> assertThat(line).isEqualTo(alsoBad + ":1: text is empty"));
        assertThat(run.out()).contains("2 examples, ").contains("3 examples have faults");
    }

    @Test
    void longExamplesAreFaultsOfTheTokens() throws IOException {
        String chat = GOOD.replace("Hello!", "word ".repeat(100));
        CommandRun run = run("validate-data", file("long.jsonl", chat), "--sequence-length=50", "--json");
        assertThat(run.exitCode()).isEqualTo(1);
        JsonNode report = JsonLines.MAPPER.readTree(run.out());
        assertThat(report.at("/faults/0/line").intValue()).isEqualTo(1);
        assertThat(report.at("/faults/0/fault").asString()).contains("more than sequence-length (50)");
        assertThat(report.path("examples").intValue()).isZero();
    }

    @Test
    void missingFilesAreNoDefect() {
        CommandRun run = run("validate-data", "nowhere.jsonl");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).isEqualTo("mixtral: there is no data file nowhere.jsonl\n");
    }

    @Test
    void impossibleSettingsAreWrongUsage() throws IOException {
        String data = file("good.jsonl", GOOD);
        CommandRun rank = run(
                "finetune",
                "--data",
                data,
                "--rank=0",
                "--out",
                folder.resolve("o").toString());
        assertThat(rank.exitCode()).isEqualTo(2);
        assertThat(rank.err()).isEqualTo("mixtral: rank: expected 1 or more, got '0'\n");
        CommandRun nothing = run("finetune", "--out", folder.resolve("o").toString());
        assertThat(nothing.exitCode()).isEqualTo(2);
        assertThat(nothing.err()).contains("no files to learn from");
        CommandRun nowhere = run("finetune", "--data", data);
        assertThat(nowhere.exitCode()).isEqualTo(2);
        assertThat(nowhere.err()).contains("--out: name a folder");
        CommandRun full = run("finetune", "--data", data, "--full", "--dora", "--dry-run");
        assertThat(full.err()).contains("method is full");
    }

    @Test
    void settingsComeFromAFileAndFlagsGoBeforeIt() throws IOException {
        String data = file("good.jsonl", GOOD);
        String yaml = file("run.yaml", "data: [" + data + "]\nrank: 0\ntargets: [router, atention]\n");
        CommandRun file = run("finetune", "--config", yaml, "--dry-run");
        assertThat(file.exitCode()).isEqualTo(2);
        assertThat(file.err()).contains("rank: expected 1 or more");
        CommandRun flag = run("finetune", "--config", yaml, "--rank", "2", "--dry-run");
        assertThat(flag.exitCode()).isEqualTo(1);
        assertThat(flag.err()).contains("'atention' matches no matrix");
        String unknown = file("unknown.yaml", "rank: 2\nlerning-rate: 1\n");
        CommandRun run = run("finetune", "--config", unknown, "--dry-run");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.err()).contains("unknown.yaml:2: there is no setting 'lerning-rate'");
    }

    @Test
    void badDataStopARunBeforeItBegins() throws IOException {
        String bad = file("bad.jsonl", GOOD + "{}\n");
        Path out = folder.resolve("out");
        CommandRun run = run("finetune", "--data", bad, "--out", out.toString());
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err())
                .contains("bad.jsonl:2: expected 'messages'")
                .contains("1 of 2 examples have faults, so nothing was trained");
        assertThat(out).doesNotExist();
    }

    @Test
    void theHelpNamesEverySettingWithItsDefault() {
        CommandRun run = run("finetune", "--help");
        assertThat(run.exitCode()).isZero();
        for (FinetuneKey key : FinetuneKey.values()) {
            assertThat(run.out()).contains("--" + key.key());
        }
    }
}

package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.batch.BatchCounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchCommandTest {
    private static final Path HOME = Path.of(System.getProperty("mixtral.home"));
    private static final int NUM_KILLS = 3;

    @TempDir
    private Path folder = Path.of("");

    private Path writeInput(int numRequests, int maxTokens) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < numRequests; i++) {
            text.append("{\"custom_id\":\"r")
                    .append(i)
                    .append("\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"model\":\"m\",\"prompt\":")
                    .append("\"Once\",\"seed\":")
                    .append(i)
                    .append(",\"max_tokens\":")
                    .append(maxTokens)
                    .append("}}\n");
        }
        return Files.writeString(folder.resolve("in.jsonl"), text);
    }

    private static List<String> customIds(Path output) throws IOException {
        try (var lines = Files.lines(output)) {
            return lines.map(line -> {
                        assertThat(line).contains("\"status_code\":200");
                        return JsonLines.MAPPER.readTree(line).path("custom_id").asString("");
                    })
                    .toList();
        }
    }

    @Test
    void killedAtAnyMomentItLosesAndRepeatsNothing() throws IOException, InterruptedException {
        Long given = Long.getLong("tests.seed");
        long seed = given == null ? ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) : given;
        System.out.println("killedAtAnyMomentItLosesAndRepeatsNothing: repeat with -Dtests.seed=" + seed);
        Random random = new Random(seed);
        int numRequests = 60;
        Path input = writeInput(numRequests, 8);
        Path output = folder.resolve("out.jsonl");
        Path journal = folder.resolve("out.jsonl.partial");
        for (int kill = 0; kill < NUM_KILLS; kill++) {
            long from = Files.exists(journal) ? Files.size(journal) : 0;
            long until = from + random.nextInt(6_000);
            Process process = start(input, output);
            while (process.isAlive() && (!Files.exists(journal) || Files.size(journal) <= until)) {
                Thread.sleep(2);
            }
            Thread.sleep(random.nextInt(20));
            process.destroyForcibly().waitFor();
        }
        Process last = start(input, output);
        assertThat(last.waitFor(60, TimeUnit.SECONDS)).isTrue();

        assertThat(last.exitValue()).as(Files.readString(folder.resolve("log"))).isZero();
        assertThat(customIds(output))
                .isEqualTo(
                        IntStream.range(0, numRequests).mapToObj(i -> "r" + i).toList());
        assertThat(journal).doesNotExist();
    }

    private Process start(Path input, Path output) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dmixtral.home=" + HOME,
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.mixtral.cli.Main",
                        "batch",
                        input.toString(),
                        output.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
    }

    @Test
    void anOutputIsMadeOnceAndMistakesAreNamed() throws IOException {
        Path input = writeInput(3, 2);
        Path output = folder.resolve("out.jsonl");
        CommandRun made = CommandRun.of(HOME, "", "batch", input.toString(), output.toString(), "--max-seqs", "2");
        assertThat(made.exitCode()).as(made.err()).isZero();
        assertThat(made.out()).isEmpty();
        assertThat(made.err()).contains("3 of 3 requests answered, 0 failed; wrote " + output);
        assertThat(customIds(output)).containsExactly("r0", "r1", "r2");

        CommandRun again = CommandRun.of(HOME, "", "batch", input.toString(), output.toString());
        assertThat(again.exitCode()).isEqualTo(1);
        assertThat(again.err()).contains("is there already");

        CommandRun missing =
                CommandRun.of(HOME, "", "batch", folder.resolve("no").toString(), "x");
        assertThat(missing.exitCode()).isEqualTo(1);
        assertThat(missing.err()).contains("there is no file " + folder.resolve("no"));

        assertThat(CommandRun.of(HOME, "", "batch", "x").exitCode()).isEqualTo(2);
        assertThat(CommandRun.of(HOME, "", "batch", "x", "y", "--max-seqs", "0").exitCode())
                .isEqualTo(2);
    }

    @Test
    void aFailedLineIsToldByTheExitCode() throws IOException {
        Path input = Files.writeString(folder.resolve("in.jsonl"), "no json\n");
        Path output = folder.resolve("out.jsonl");
        CommandRun run = CommandRun.of(HOME, "", "batch", input.toString(), output.toString());
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("0 of 1 requests answered, 1 failed; wrote " + output);
        assertThat(output).content().contains("\"code\":\"invalid_json_line\"");
    }

    @Test
    void theBarTellsHowFarItIsAndHowLongItTakes() {
        assertThat(BatchProgress.line(new BatchCounts(200, 100, 99, 50, 4000), 10))
                .isEqualTo("[############------------] 100/200, 1 failed  400 tokens/s  ETA 0:20");
        assertThat(BatchProgress.line(new BatchCounts(4, 0, 0, 0, 0), 0))
                .isEqualTo("[------------------------] 0/4  0 tokens/s  ETA -");
        assertThat(BatchProgress.line(new BatchCounts(10_000, 1000, 1000, 1, 10), 1))
                .endsWith("10 tokens/s  ETA 2:30:00");
    }
}

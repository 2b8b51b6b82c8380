package dev.mixtral.server.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.server.ApiKey;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.wire.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class BatchFileTest {
    private static final ApiKey KEY = new ApiKey("alice", "secret", Set.of());
    private static TestBatch served;

    @TempDir
    private Path folder = Path.of("");

    @BeforeAll
    static void load() {
        served = new TestBatch(ServerConfig.builder()
                .apiKeys(List.of(KEY))
                .maxRequestsPerKey(1)
                .build());
    }

    @AfterAll
    static void close() {
        served.close();
    }

    private Path in(String text) throws IOException {
        return Files.writeString(folder.resolve("in.jsonl"), text);
    }

    private Path out() {
        return folder.resolve("out.jsonl");
    }

    private BatchFile open() throws IOException {
        return BatchFile.open(folder.resolve("in.jsonl"), out(), "tiny", false);
    }

    private List<ObjectNode> output() throws IOException {
        return Files.readAllLines(out()).stream()
                .map(line -> Json.parseObject(line.getBytes(StandardCharsets.UTF_8)))
                .toList();
    }

    private void runAll() throws IOException, InterruptedException {
        try (BatchFile file = open()) {
            assertThat(file.run(served.api(), 4, counts -> {})).isTrue();
            file.finish();
        }
    }

    @Test
    void everyLineHasItsResultInTheOrderOfTheInput() throws IOException, InterruptedException {
        in(TestBatch.chatLine("chat") + "no json\n\n" + TestBatch.completionLine("text", "")
                + TestBatch.chatLine("chat") + TestBatch.completionLine("wrong", ",\"temperature\":9"));

        runAll();

        List<ObjectNode> lines = output();
        assertThat(lines)
                .extracting(line -> line.path("custom_id").asString("none"))
                .containsExactly("chat", "none", "text", "chat", "wrong");
        assertThat(lines)
                .extracting(line -> line.path("response").path("status_code").asInt(0))
                .containsExactly(200, 0, 200, 0, 400);
        assertThat(lines)
                .extracting(line -> line.path("error").path("code").asString("none"))
                .containsExactly("none", "invalid_json_line", "none", "duplicate_custom_id", "none");
        assertThat(lines.get(1).path("error").path("line").asInt(0)).isEqualTo(2);
        assertThat(lines.get(3).path("error").path("message").asString("")).startsWith("line 5: ");
        assertThat(lines.get(0).path("response").path("body").path("object").asString(""))
                .isEqualTo("chat.completion");
        assertThat(lines.get(2)
                        .path("response")
                        .path("body")
                        .path("choices")
                        .path(0)
                        .path("text")
                        .asString(""))
                .isNotEmpty();
        assertThat(lines.get(4)
                        .path("response")
                        .path("body")
                        .path("error")
                        .path("param")
                        .asString(""))
                .isEqualTo("temperature");
        assertThat(lines)
                .allSatisfy(line -> assertThat(line.path("id").asString("")).startsWith("batch_req_"));
        assertThat(BatchFile.journalPath(out())).doesNotExist();
    }

    @Test
    void whatWasCancelledGoesOnWhereItStopped() throws IOException, InterruptedException {
        List<String> ids = IntStream.range(0, 30).mapToObj(i -> "r" + i).toList();
        in(String.join(
                "", ids.stream().map(id -> TestBatch.completionLine(id, "")).toList()));
        try (BatchFile file = open()) {
            boolean complete = file.run(served.api(), 3, counts -> {
                if (counts.done() >= 5) {
                    file.cancel();
                }
            });
            assertThat(complete).isFalse();
            assertThat(file.counts().done()).isBetween(5, 29);
        }
        assertThat(out()).doesNotExist();
        List<Integer> doneNow = new ArrayList<>();
        try (BatchFile file = open()) {
            int before = file.counts().done();
            assertThat(before).isGreaterThanOrEqualTo(5);
            assertThat(file.run(served.api(), 3, counts -> doneNow.add(counts.doneNow())))
                    .isTrue();
            assertThat(doneNow.getLast()).isEqualTo(30 - before);
            file.finish();
        }
        assertThat(output())
                .extracting(line -> line.path("custom_id").asString(""))
                .isEqualTo(ids);
    }

    @Test
    void aBusyServerIsAskedAgain() throws IOException, InterruptedException {
        in(TestBatch.chatLine("a") + TestBatch.chatLine("b") + TestBatch.chatLine("c"));
        Path journalPath = BatchFile.journalPath(out());
        try (BatchInput input = BatchInput.open(folder.resolve("in.jsonl"), 1 << 20);
                BatchJournal journal = BatchJournal.open(journalPath, input, "")) {
            BatchCaller caller = new BatchCaller(served.api(), new BatchCaller.Client("batch", KEY));
            // The key may have one request running, so some of three get status 429.
            assertThat(new BatchRunner(input, journal, caller, 3, null, counts -> {}).run())
                    .isTrue();
            assertThat(journal.numSucceeded()).isEqualTo(3);
        }
    }

    @Test
    void anOutputThatIsThereIsKept() throws IOException, InterruptedException {
        in(TestBatch.completionLine("a", ""));
        Files.writeString(out(), "precious");

        assertThatThrownBy(this::open).isInstanceOf(BatchException.class).hasMessageContaining("--overwrite");

        assertThat(out()).hasContent("precious");
        try (BatchFile file = BatchFile.open(folder.resolve("in.jsonl"), out(), "tiny", true)) {
            file.run(served.api(), 1, counts -> {});
            assertThat(out()).hasContent("precious");
            // As if killed here: what was begun with leave goes on without asking again.
        }
        runAll();
        assertThat(output()).hasSize(1);
    }

    @Test
    void anEndBetweenTheOutputAndTheRemovalOfTheJournalIsMadeGood() throws IOException, InterruptedException {
        in(TestBatch.completionLine("a", "") + TestBatch.completionLine("b", ""));
        byte[] journal;
        try (BatchFile file = open()) {
            file.run(served.api(), 2, counts -> {});
            journal = Files.readAllBytes(BatchFile.journalPath(out()));
            file.finish();
        }
        byte[] output = Files.readAllBytes(out());
        Files.write(BatchFile.journalPath(out()), journal);

        runAll();

        assertThat(Files.readAllBytes(out())).isEqualTo(output);
        assertThat(BatchFile.journalPath(out())).doesNotExist();
    }

    @Test
    void impossibleFilesAreRefused() throws IOException {
        Path empty = in("\n  \n");
        assertThatThrownBy(this::open).isInstanceOf(BatchException.class).hasMessageContaining("has no requests");
        assertThatThrownBy(() -> BatchFile.open(empty, empty, "tiny", true))
                .isInstanceOf(BatchException.class)
                .hasMessageContaining("same file");
        assertThatThrownBy(() -> BatchFile.open(empty, folder, "tiny", true))
                .isInstanceOf(BatchException.class)
                .hasMessageContaining("is a folder");
        assertThatThrownBy(() -> BatchFile.open(empty, folder.resolve("no/out"), "tiny", true))
                .isInstanceOf(BatchException.class)
                .hasMessageContaining("there is no folder");
        assertThat(folder).isDirectoryContaining(path -> path.equals(empty));
        assertThat(BatchFile.journalPath(out())).doesNotExist();
    }

    @Test
    void aLineBeyondTheLimitIsNotRead() throws IOException {
        Path path = in("{\"custom_id\":\"" + "x".repeat(5000) + "\"}\n" + TestBatch.chatLine("a"));
        try (BatchInput input = BatchInput.open(path, 1000)) {
            assertThat(input.numLines()).isEqualTo(2);
            assertThat(input.read(0)).isInstanceOf(BatchLine.Unusable.class);
            assertThat(((BatchLine.Unusable) input.read(0)).message()).contains("5016 bytes");
            assertThat(input.read(1)).isInstanceOf(BatchLine.Request.class);
        }
    }
}

package dev.mixtral.server.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.server.wire.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchJournalTest {
    private static final String MODEL = "tiny";

    @TempDir
    private Path folder = Path.of("");

    private Path journalPath = Path.of("");
    private Path inputPath = Path.of("");
    private List<BatchResult> results = List.of();

    @BeforeEach
    void writeInput() throws IOException {
        journalPath = folder.resolve("out.jsonl.partial");
        inputPath = folder.resolve("in.jsonl");
        // A blank line keeps its number.
        Files.writeString(inputPath, "{\"custom_id\":\"a\"}\n\n{\"custom_id\":\"b\"}\n{\"custom_id\":\"c\"}\nbad\n");
        results = List.of(
                answered(3, "b", 200, "one\ntwo"),
                answered(1, "a", 200, "é 漢 😀"),
                answered(4, "c", 400, ""),
                BatchResult.failed(5, null, "invalid_json_line", "no JSON"));
    }

    private static BatchResult answered(int number, String customId, int status, String text) {
        BatchLine.Request request = new BatchLine.Request(number, customId, "/v1/completions", Json.object());
        return BatchResult.answered(
                request, status, "req_" + number, Json.object().put("text", text));
    }

    private BatchJournal open(BatchInput input) throws IOException {
        return BatchJournal.open(journalPath, input, MODEL);
    }

    private BatchInput input() throws IOException {
        return BatchInput.open(inputPath, 1 << 20);
    }

    private byte[] wholeJournal() throws IOException {
        try (BatchInput input = input();
                BatchJournal journal = open(input)) {
            for (BatchResult result : results) {
                journal.append(List.of(result));
            }
        }
        return Files.readAllBytes(journalPath);
    }

    private static String output(BatchJournal journal) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        journal.writeOutput(out, text -> true);
        return out.toString(StandardCharsets.UTF_8);
    }

    private String expectedOutput() {
        StringBuilder text = new StringBuilder();
        for (int index : new int[] {1, 0, 2, 3}) {
            text.append(new String(results.get(index).text(), StandardCharsets.UTF_8))
                    .append('\n');
        }
        return text.toString();
    }

    private List<BatchResult> missing(BatchJournal journal) {
        return results.stream()
                .filter(result -> !journal.isDone(result.number()))
                .toList();
    }

    /// Returns the numbers of the entries that a journal cut at a length has whole.
    private static List<Integer> wholeEntries(byte[] journal, int length) {
        List<Integer> numbers = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < length; i++) {
            if (journal[i] == '\n') {
                if (start > 0) {
                    numbers.add(journal[start] - '0');
                }
                start = i + 1;
            }
        }
        return numbers;
    }

    @Test
    void everyTruncationGoesOnWithExactlyTheWholeEntries() throws IOException {
        byte[] whole = wholeJournal();
        for (int length = 0; length <= whole.length; length++) {
            Files.write(journalPath, Arrays.copyOf(whole, length));
            try (BatchInput input = input();
                    BatchJournal journal = open(input)) {
                List<Integer> done = results.stream()
                        .map(BatchResult::number)
                        .filter(journal::isDone)
                        .toList();
                assertThat(done).as("cut at %d", length).isEqualTo(wholeEntries(whole, length));
                assertThat(journal.numDone()).isEqualTo(done.size());
                journal.append(missing(journal));
                assertThat(output(journal)).as("cut at %d", length).isEqualTo(expectedOutput());
            }
            try (BatchInput input = input();
                    BatchJournal again = open(input)) {
                assertThat(again.numDone()).isEqualTo(results.size());
                assertThat(again.numSucceeded()).isEqualTo(2);
                assertThat(again.numBytesCut()).isZero();
                assertThat(output(again)).isEqualTo(expectedOutput());
            }
        }
    }

    @Test
    void whatIsOnDiskAfterEachStepIsWhatWasDoneByThen() throws IOException {
        List<byte[]> copies = new ArrayList<>();
        try (BatchInput input = input();
                BatchJournal journal = open(input)) {
            copies.add(Files.readAllBytes(journalPath));
            for (BatchResult result : results) {
                journal.append(List.of(result));
                assertThat(journal.isDone(result.number())).isTrue();
                copies.add(Files.readAllBytes(journalPath));
            }
        }
        for (int step = 0; step < copies.size(); step++) {
            Files.write(journalPath, copies.get(step));
            try (BatchInput input = input();
                    BatchJournal journal = open(input)) {
                assertThat(journal.numDone()).isEqualTo(step);
                assertThat(missing(journal)).isEqualTo(results.subList(step, results.size()));
            }
        }
    }

    @Test
    void noDamagedEntryIsTakenForAWholeOne() throws IOException {
        byte[] whole = wholeJournal();
        int headEnd = new String(whole, StandardCharsets.ISO_8859_1).indexOf('\n') + 1;
        for (int at = headEnd; at < whole.length; at++) {
            byte[] damaged = whole.clone();
            damaged[at] ^= 0x01;
            Files.write(journalPath, damaged);
            try (BatchInput input = input();
                    BatchJournal journal = open(input)) {
                assertThat(journal.numBytesCut()).as("damaged at %d", at).isPositive();
                journal.append(missing(journal));
                assertThat(output(journal)).as("damaged at %d", at).isEqualTo(expectedOutput());
            }
        }
    }

    @Test
    void anotherInputOrModelIsRefusedAndNothingIsTouched() throws IOException {
        byte[] whole = wholeJournal();
        try (BatchInput input = input()) {
            assertThatThrownBy(() -> BatchJournal.open(journalPath, input, "other"))
                    .isInstanceOf(BatchException.class)
                    .hasMessageContaining("begun with the model tiny, not with other");
        }
        Files.writeString(inputPath, "{\"custom_id\":\"z\"}\n");
        try (BatchInput input = input()) {
            assertThatThrownBy(() -> open(input))
                    .isInstanceOf(BatchException.class)
                    .hasMessageContaining("is not the file that")
                    .hasMessageContaining("to begin anew");
        }
        assertThat(Files.readAllBytes(journalPath)).isEqualTo(whole);
    }

    @Test
    void aFileOfSomebodyElseIsNotWrittenOver() throws IOException {
        for (String text : List.of("shopping list", "a\nb\n", "{}\n")) {
            Files.writeString(journalPath, text);
            try (BatchInput input = input()) {
                assertThatThrownBy(() -> open(input))
                        .isInstanceOf(BatchException.class)
                        .hasMessageContaining("is in the way");
            }
            assertThat(journalPath).hasContent(text);
        }
    }

    @Test
    void onlyOneHasItOpen() throws IOException {
        try (BatchInput input = input();
                BatchJournal first = open(input)) {
            assertThatThrownBy(() -> open(input))
                    .isInstanceOf(BatchException.class)
                    .hasMessageContaining("another process is at work on");
            first.append(results);
        }
        try (BatchInput input = input();
                BatchJournal next = open(input)) {
            assertThat(next.numDone()).isEqualTo(results.size());
        }
    }
}

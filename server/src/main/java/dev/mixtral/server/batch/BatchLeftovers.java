package dev.mixtral.server.batch;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Gives the lines that were not run a result that says so.
final class BatchLeftovers {
    private static final int APPENDED_AT_ONCE = 1000;

    private BatchLeftovers() {}

    static void append(BatchInput input, BatchJournal journal, String code, String message) throws IOException {
        List<BatchResult> results = new ArrayList<>();
        for (int i = 0; i < input.numLines(); i++) {
            if (!journal.isDone(input.number(i))) {
                results.add(BatchResult.failed(input.number(i), customId(input.read(i)), code, message));
            }
            if (results.size() == APPENDED_AT_ONCE || i == input.numLines() - 1) {
                journal.append(results);
                results.clear();
            }
        }
    }

    private static @Nullable String customId(BatchLine line) {
        return switch (line) {
            case BatchLine.Request request -> request.customId();
            case BatchLine.Unusable bad -> bad.customId();
        };
    }
}

package dev.mixtral.engine;

import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.error.AnswerException;
import dev.mixtral.grammar.RecordType;

/// Reads a generation to its end, and its text as a record.
final class RecordAnswer {
    private RecordAnswer() {}

    /// Waits for the end of a generation that is held to a record's schema.
    ///
    /// @throws AnswerException if it was cut before its end, or the record refuses its values
    static <T extends Record> T read(Generation generation, RecordType<T> type) {
        StringBuilder text = new StringBuilder();
        for (GenerationEvent event : generation) {
            if (event instanceof TextDelta delta) {
                text.append(delta.text());
            } else if (event instanceof Finished end) {
                requireWhole(end, text.toString());
            }
        }
        return type.read(text.toString());
    }

    private static void requireWhole(Finished end, String text) {
        String problem = switch (end.reason()) {
            case STOP, TOOL_CALLS -> "";
            case LENGTH ->
                "the answer was cut after " + end.usage().numGeneratedTokens()
                        + " tokens, before the record was whole; allow more tokens or a longer context";
            case ABORTED -> "the answer was cancelled before the record was whole";
        };
        if (!problem.isEmpty()) {
            throw new AnswerException(problem, text, null);
        }
    }
}

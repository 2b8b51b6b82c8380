package dev.mixtral.engine;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolCallParser;
import dev.mixtral.chat.ToolCallStream;
import dev.mixtral.sampling.CounterRandom;
import dev.mixtral.tokenizer.StreamDecoder;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Turns the ids of an answer into text, apart from the part behind `[TOOL_CALLS]`. Confined to one thread.
final class AnswerText {
    /// The control token in front of calls.
    static final String TOOL_CALLS = "[TOOL_CALLS]";

    private static final String ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private static final int ID_LENGTH = 9;

    private final StreamDecoder decoder;
    private final StopTexts stops;
    private final int toolCallsId;
    private final long seed;
    private final StringBuilder toolText = new StringBuilder();
    private final ToolCallStream stream = new ToolCallStream();
    private final List<ToolCallStream.Piece> pieces = new ArrayList<>();
    private boolean tellsPieces;
    private boolean inToolCalls;
    private int numIds;

    /// @param seed fixes the ids of tool calls that the model left without one
    AnswerText(Tokenizer tokenizer, List<String> stops, long seed) {
        this.decoder = tokenizer.streamDecoder();
        this.stops = new StopTexts(stops);
        this.toolCallsId = tokenizer.controlId(TOOL_CALLS).orElse(-1);
        this.seed = seed;
    }

    /// Lets the answer go on with a prompt: its text keeps a leading space, and completes the prompt's last character.
    ///
    /// @param lastPromptId the prompt's last token; nothing has been appended yet
    void continueFrom(int lastPromptId) {
        decoder.append(lastPromptId);
    }

    /// Lets stop texts end the text in front of calls only.
    ///
    /// @param trigger the text that calls begin with
    void stopNothingBehind(String trigger) {
        stops.endBehind(trigger);
    }

    /// Lets calls be told piece by piece: their form is certain.
    void tellPieces() {
        tellsPieces = true;
    }

    /// Returns the pieces of calls since the last time.
    List<ToolCallStream.Piece> takePieces() {
        List<ToolCallStream.Piece> taken = List.copyOf(pieces);
        pieces.clear();
        return taken;
    }

    /// Takes the next id and returns the text that became certain.
    String append(int id) {
        if (id == toolCallsId && !inToolCalls) {
            inToolCalls = true;
            return stops.append(decoder.append(id));
        }
        return take(decoder.append(id));
    }

    /// Returns the text that is still held back, at the end of the answer.
    String finish() {
        String text = take(decoder.finish());
        return stops.matched() ? text : text + stops.finish();
    }

    private String take(String text) {
        if (inToolCalls) {
            if (tellsPieces) {
                pieces.addAll(stream.append(text));
            } else {
                toolText.append(text);
            }
            return "";
        }
        return stops.append(text);
    }

    /// Returns whether a stop text appeared.
    boolean stopped() {
        return stops.matched();
    }

    /// Returns the text behind `[TOOL_CALLS]` that was not told in pieces, which is empty if there was none.
    String toolText() {
        return toolText.toString();
    }

    /// Returns the calls behind `[TOOL_CALLS]`, or empty if there are none or they are no valid JSON array of calls.
    Optional<List<ToolCall>> toolCalls() {
        if (tellsPieces) {
            return stream.isComplete()
                    ? Optional.of(stream.calls().stream()
                            .map(call -> new ToolCall(nextId(), call.name(), call.arguments()))
                            .toList())
                    : Optional.empty();
        }
        return inToolCalls ? ToolCallParser.parse(toolText.toString().strip(), this::nextId) : Optional.empty();
    }

    private String nextId() {
        StringBuilder id = new StringBuilder();
        for (int i = 0; i < ID_LENGTH; i++) {
            // Negative counters: the positive ones belong to the sampler.
            double uniform = CounterRandom.uniform(seed, -1L - (long) numIds * ID_LENGTH - i);
            id.append(ID_CHARACTERS.charAt((int) (uniform * ID_CHARACTERS.length())));
        }
        numIds++;
        return id.toString();
    }
}

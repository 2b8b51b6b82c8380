package dev.mixtral.server.api;

import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCallDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.engine.Usage;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.wire.ChoiceResult;
import dev.mixtral.server.wire.ToolSettings;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one choice has come to so far. Confined to one thread.
final class ChoiceState {
    private final ToolSettings tools;
    private final CallIds ids;
    private final StringBuilder text;
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final ChoiceCalls calls;
    private final List<TokenLogprob> heldLogprobs = new ArrayList<>();
    private boolean dropSpace;
    private @Nullable ToolText toolText;
    private @Nullable Finished end;

    /// @param tools what may be called
    /// @param ids gives calls their ids
    /// @param prefix text that the choice starts with by request; empty if there is none
    /// @param dropSpace whether the generated text loses a leading space, because the text before it ends with one
    ChoiceState(ToolSettings tools, CallIds ids, String prefix, boolean dropSpace) {
        this.tools = tools;
        this.ids = ids;
        this.calls = new ChoiceCalls(ids, tools.maxCalls());
        this.text = new StringBuilder(prefix);
        this.dropSpace = dropSpace;
    }

    /// Adds a piece of text.
    ///
    /// @return the piece as the client gets it, or `null` if there is nothing in it for the client
    @Nullable
    TextDelta add(TextDelta delta) {
        if (delta.text().isEmpty()) {
            // Log-probabilities without text are those of a stop text or of a tool call.
            return null;
        }
        String piece = dropSpace && delta.text().startsWith(" ") ? delta.text().substring(1) : delta.text();
        dropSpace = false;
        heldLogprobs.addAll(delta.logprobs());
        String certain = toolText == null ? piece : toolText.append(piece);
        return certain.isEmpty() && (toolText != null || heldLogprobs.isEmpty()) ? null : emit(certain);
    }

    private TextDelta emit(String certain) {
        TextDelta delta = new TextDelta(certain, List.copyOf(heldLogprobs));
        heldLogprobs.clear();
        text.append(certain);
        logprobs.addAll(delta.logprobs());
        return delta;
    }

    /// Looks for calls in the text from now on.
    void findCallsInText() {
        toolText = new ToolText();
    }

    /// Takes a piece of a call.
    void add(ToolCallDelta piece, ChoiceCalls.Listener listener) {
        calls.add(piece, listener);
    }

    /// Takes all calls.
    void add(ToolCalls made, ChoiceCalls.Listener listener) {
        calls.complete(made.calls(), listener);
    }

    /// Tells the pieces of calls that came as text.
    void tellCallsInText(ChoiceCalls.Listener listener) {
        if (toolText != null) {
            toolText.takePieces().forEach(piece -> calls.add(piece, listener));
        }
    }

    /// Tells what is open, at the end: calls that came as text are some only then, and others may be cut off.
    void close(ChoiceCalls.Listener listener) {
        if (toolText != null) {
            toolText.calls(ids).ifPresent(made -> calls.complete(made, listener));
        }
        calls.cut(listener);
    }

    /// Returns the text that was held for a call and is none, at its end; or `null` if there is nothing.
    @Nullable
    TextDelta heldText() {
        if (toolText == null || !calls.isEmpty()) {
            return null;
        }
        String rest = toolText.rest(finished().reason() == FinishReason.LENGTH);
        return rest.isEmpty() ? null : emit(rest);
    }

    void add(Finished finished) {
        end = finished;
    }

    boolean isFinished() {
        return end != null;
    }

    int textLength() {
        return text.length();
    }

    Usage usage() {
        return finished().usage();
    }

    boolean wasAborted() {
        return finished().reason() == FinishReason.ABORTED;
    }

    /// Returns why the choice ended, in the API's words.
    String finishReason() {
        if (!calls.isEmpty() && !calls.isCut()) {
            return tools.legacy() ? "function_call" : "tool_calls";
        }
        return switch (finished().reason()) {
            // A call that could not be read was sent as text.
            case STOP, TOOL_CALLS -> "stop";
            case LENGTH -> "length";
            case ABORTED -> "cancelled";
        };
    }

    ChoiceResult result() {
        return new ChoiceResult(text.toString(), logprobs, calls.calls(), finishReason());
    }

    private Finished finished() {
        if (end == null) {
            throw new IllegalStateException("the choice has not ended");
        }
        return end;
    }
}

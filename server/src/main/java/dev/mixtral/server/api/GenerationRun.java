package dev.mixtral.server.api;

import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCallDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.engine.Usage;
import dev.mixtral.server.RequestReport.Generated;
import dev.mixtral.server.api.ChoiceEvents.Item;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.UsageTotals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The generations of one request, from their start to the last event. Confined to the request's thread, but for
/// [#cancel()].
final class GenerationRun implements AutoCloseable {
    private static final int RETRY_SECONDS = 5;

    private final Call call;
    private final ChoiceEvents events;
    private final List<ChoiceState> choices;
    private final int choicesPerPrompt;
    private long startedNanos;
    private int numOpen;
    private @Nullable Item pushedBack;
    private Runnable onClose = () -> {};

    /// What happens, told as it happens. All of it for one choice, whose number is from 0.
    interface Listener {
        /// A piece of text came.
        default void text(int choice, TextDelta delta) {}

        /// Returns who is told of the choice's calls.
        default ChoiceCalls.Listener calls(int choice) {
            return new ChoiceCalls.Listener() {};
        }

        /// A token was routed.
        default void routed(int choice, Routed routed) {}

        /// The choice ended.
        ///
        /// @param isLast whether no other is left
        default void finished(int choice, boolean isLast) {}

        /// Nothing came for a while.
        default void idle() {}
    }

    /// @param choices one per generation, in the order of their events
    /// @param choicesPerPrompt number of choices that share a prompt
    GenerationRun(Call call, ChoiceEvents events, List<ChoiceState> choices, int choicesPerPrompt) {
        this.call = call;
        this.events = events;
        this.choices = choices;
        this.choicesPerPrompt = choicesPerPrompt;
        this.numOpen = choices.size();
        call.exchange().onGone(this::cancel);
    }

    /// Waits for the first event, but no longer than a time.
    void awaitStart(Duration timeout) throws InterruptedException {
        pushedBack = events.poll(timeout);
    }

    /// Tells a listener all events, to the last one.
    ///
    /// @param patience time without an event after which the listener hears of it
    /// @throws ClientGoneException if the client went away
    /// @throws ApiException if the generations were ended from outside
    void tell(Listener listener, Duration patience) throws InterruptedException {
        while (numOpen > 0) {
            Item item = pushedBack == null ? events.poll(patience) : pushedBack;
            pushedBack = null;
            if (call.exchange().isGone()) {
                throw new ClientGoneException();
            }
            if (item == null || item.event() == null) {
                listener.idle();
            } else {
                tell(listener, item);
            }
        }
    }

    private void tell(Listener listener, Item item) {
        int index = item.choice();
        ChoiceState choice = choices.get(index);
        switch (item.event()) {
            case Started _ -> startedNanos = startedNanos == 0 ? System.nanoTime() : startedNanos;
            case Routed routed -> listener.routed(index, routed);
            case TextDelta delta -> {
                TextDelta piece = choice.add(delta);
                if (piece != null) {
                    listener.text(index, piece);
                }
                choice.tellCallsInText(listener.calls(index));
            }
            case ToolCallDelta piece -> choice.add(piece, listener.calls(index));
            case ToolCalls made -> choice.add(made, listener.calls(index));
            case Finished finished -> {
                choice.add(finished);
                if (choice.wasAborted()) {
                    throw aborted();
                }
                tellHeld(listener, index, choice);
                numOpen--;
                listener.finished(index, numOpen == 0);
            }
            case null -> throw new IllegalArgumentException("an item without an event");
        }
    }

    /// What is open at the end is a call that was cut off, or text after all.
    private static void tellHeld(Listener listener, int index, ChoiceState choice) {
        choice.close(listener.calls(index));
        TextDelta text = choice.heldText();
        if (text != null) {
            listener.text(index, text);
        }
    }

    private RuntimeException aborted() {
        return call.exchange().isGone()
                ? new ClientGoneException()
                : new ApiException(ApiError.unavailable(
                        "overloaded",
                        "The request was ended: the server is shutting down, or the answer was not read in time.",
                        RETRY_SECONDS));
    }

    /// Sets what is done when the run is closed.
    void onClose(Runnable action) {
        onClose = action;
    }

    List<ChoiceState> choices() {
        return choices;
    }

    /// Returns what all choices took; all of them have ended.
    UsageTotals usage() {
        return UsageTotals.of(choices.stream().map(ChoiceState::usage).toList(), choicesPerPrompt);
    }

    /// Ends the generations soon.
    void cancel() {
        events.cancel();
    }

    /// Ends the generations, and notes what they came to in the request's report.
    @Override
    public void close() {
        events.close();
        onClose.run();
        List<ChoiceState> ended =
                choices.stream().filter(ChoiceState::isFinished).toList();
        List<String> reasons = new ArrayList<>();
        choices.forEach(choice -> reasons.add(choice.isFinished() ? choice.finishReason() : "cancelled"));
        UsageTotals usage = ended.size() == choices.size() ? usage() : UsageTotals.NONE;
        long queueNanos = startedNanos == 0 ? 0 : startedNanos - call.head().startNanos();
        Usage first = ended.isEmpty() ? null : ended.getFirst().usage();
        long tpotNanos = first == null || first.numGeneratedTokens() < 2
                ? 0
                : (first.totalNanos() - first.ttftNanos()) / (first.numGeneratedTokens() - 1);
        call.generated(new Generated(
                usage.numPromptTokens(),
                usage.numCachedTokens(),
                usage.numGeneratedTokens(),
                queueNanos,
                first == null ? 0 : first.ttftNanos(),
                tpotNanos,
                reasons));
    }
}

package dev.mixtral.server.api;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.engine.GenerationEvent.ToolCallDelta;
import java.util.ArrayList;
import java.util.List;

/// The calls of one choice, as its client gets them: piece by piece or whole. Confined to one thread.
final class ChoiceCalls {
    private final CallIds ids;
    private final int maxCalls;
    private final List<ToolCall> calls = new ArrayList<>();
    private final StringBuilder arguments = new StringBuilder();
    private boolean isOpen;
    private boolean hasPieces;
    private boolean isCut;

    /// Is told what happens to each call, in order, one call after the other.
    interface Listener {
        /// A call begins: its id and name are there, its arguments follow.
        ///
        /// @param index the call's place among the choice's calls
        default void callBegun(int index, ToolCall call) {}

        /// The next characters of the arguments are there.
        default void arguments(int index, ToolCall call, String piece) {}

        /// The call has ended.
        ///
        /// @param call the call with all of its arguments
        /// @param isCut whether some of them are missing, as the answer was cut off
        default void callEnded(int index, ToolCall call, boolean isCut) {}
    }

    /// @param ids gives calls their ids
    /// @param maxCalls calls beyond are left out
    ChoiceCalls(CallIds ids, int maxCalls) {
        this.ids = ids;
        this.maxCalls = maxCalls;
    }

    /// Takes a piece of a call.
    void add(ToolCallDelta piece, Listener listener) {
        hasPieces = true;
        if (piece.index() >= maxCalls) {
            return;
        }
        if (piece.index() == calls.size()) {
            end(false, listener);
            begin(piece.name(), listener);
        }
        append(piece.arguments(), listener);
    }

    private void begin(String name, Listener listener) {
        ToolCall call = new ToolCall(ids.next(), name, "");
        calls.add(call);
        arguments.setLength(0);
        isOpen = true;
        listener.callBegun(calls.size() - 1, call);
    }

    private void append(String piece, Listener listener) {
        if (!piece.isEmpty()) {
            arguments.append(piece);
            listener.arguments(calls.size() - 1, calls.getLast(), piece);
        }
    }

    private void end(boolean cut, Listener listener) {
        if (isOpen) {
            isOpen = false;
            ToolCall begun = calls.getLast();
            ToolCall call = new ToolCall(begun.id(), begun.name(), arguments.toString());
            calls.set(calls.size() - 1, call);
            listener.callEnded(calls.size() - 1, call, cut);
        }
    }

    /// Takes all calls at once; pieces of them may have come before.
    void complete(List<ToolCall> made, Listener listener) {
        if (!hasPieces) {
            for (ToolCall call : made.subList(0, Math.min(made.size(), maxCalls))) {
                begin(call.name(), listener);
                append(call.arguments(), listener);
                end(false, listener);
            }
        }
        end(false, listener);
    }

    /// Ends what is open, at the end of an answer whose calls have not been completed.
    void cut(Listener listener) {
        isCut |= isOpen;
        end(true, listener);
    }

    /// Returns whether the answer ended inside a call.
    boolean isCut() {
        return isCut;
    }

    boolean isEmpty() {
        return calls.isEmpty();
    }

    List<ToolCall> calls() {
        return calls;
    }
}

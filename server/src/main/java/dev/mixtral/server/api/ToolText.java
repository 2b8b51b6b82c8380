package dev.mixtral.server.api;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolCallParser;
import dev.mixtral.chat.ToolCallStream;
import dev.mixtral.engine.GenerationEvent.ToolCallDelta;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Finds calls in the text of a model that has no token for them. Confined to one thread.
final class ToolText {
    private final StringBuilder held = new StringBuilder();
    private final ToolCallStream stream = new ToolCallStream();
    private final List<ToolCallDelta> pieces = new ArrayList<>();
    private boolean triggered;
    private boolean hasPieces;

    /// Takes a piece of text, and returns what is certain to be no part of a call.
    String append(String piece) {
        held.append(piece);
        if (triggered) {
            read(piece);
            return "";
        }
        int at = held.indexOf(PlainTextTools.TRIGGER);
        if (at >= 0) {
            triggered = true;
            String before = held.substring(0, at);
            held.delete(0, at);
            read(held.substring(PlainTextTools.TRIGGER.length()));
            return before;
        }
        int certain = held.length() - heldBack();
        String text = held.substring(0, certain);
        held.delete(0, certain);
        return text;
    }

    /// Once a call's name and the beginning of its arguments are there, it is a call.
    private void read(String text) {
        for (ToolCallStream.Piece piece : stream.append(text)) {
            pieces.add(new ToolCallDelta(piece.index(), piece.name(), piece.arguments()));
            hasPieces = true;
        }
    }

    /// Returns the length of the longest end of the text that may be the beginning of a trigger.
    private int heldBack() {
        int longest = Math.min(held.length(), PlainTextTools.TRIGGER.length() - 1);
        for (int n = longest; n > 0; n--) {
            if (PlainTextTools.TRIGGER.startsWith(held.substring(held.length() - n))) {
                return n;
            }
        }
        return 0;
    }

    /// Returns the pieces of calls since the last time.
    List<ToolCallDelta> takePieces() {
        List<ToolCallDelta> taken = List.copyOf(pieces);
        pieces.clear();
        return taken;
    }

    /// Returns the calls at the end of the text, if there are some and they can be read.
    ///
    /// @param ids gives calls without an id theirs
    Optional<List<ToolCall>> calls(CallIds ids) {
        if (hasPieces) {
            return stream.isComplete() ? Optional.of(stream.calls()) : Optional.empty();
        }
        return triggered
                ? ToolCallParser.parse(
                        held.substring(PlainTextTools.TRIGGER.length()).strip(), ids::next)
                : Optional.empty();
    }

    /// Returns the text that is still held, at the end of an answer without calls.
    ///
    /// @param isCut whether the answer was cut off, so that what could have become a call was one
    String rest(boolean isCut) {
        boolean isCall = hasPieces || (isCut && triggered && stream.isInForm());
        return isCall ? "" : held.toString();
    }
}

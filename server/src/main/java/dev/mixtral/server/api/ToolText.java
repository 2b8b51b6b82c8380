package dev.mixtral.server.api;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolCallParser;
import java.util.List;
import java.util.Optional;

/// Finds calls in the text of a model that has no token for them. Confined to one thread.
final class ToolText {
    private final StringBuilder held = new StringBuilder();
    private boolean triggered;

    /// Takes a piece of text, and returns what is certain to be no part of a call.
    String append(String piece) {
        held.append(piece);
        if (triggered) {
            return "";
        }
        int at = held.indexOf(PlainTextTools.TRIGGER);
        if (at >= 0) {
            triggered = true;
            String before = held.substring(0, at);
            held.delete(0, at);
            return before;
        }
        int certain = held.length() - heldBack();
        String text = held.substring(0, certain);
        held.delete(0, certain);
        return text;
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

    /// Returns the calls at the end of the text, if there are some and they can be read.
    ///
    /// @param ids gives calls without an id theirs
    Optional<List<ToolCall>> calls(CallIds ids) {
        return triggered
                ? ToolCallParser.parse(
                        held.substring(PlainTextTools.TRIGGER.length()).strip(), ids::next)
                : Optional.empty();
    }

    /// Returns the text that is still held, at the end of an answer without calls.
    String rest() {
        return held.toString();
    }
}

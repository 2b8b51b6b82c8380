package dev.mixtral.chat;

import java.util.ArrayList;
import java.util.List;

/// Reads calls while they are written, in the one form that a grammar of calls has:
/// `[{"name": "f", "arguments": {…}, "id": "…"}, …]`, the id if there is one. Confined to one thread.
public final class ToolCallStream {
    private static final String OPEN = "[";
    private static final String NAME = "{\"name\": \"";
    private static final String ARGUMENTS = "\", \"arguments\": ";
    private static final String ID = ", \"id\": \"";

    private enum At {
        OPEN,
        CALL,
        NAME,
        ARGUMENTS,
        BEHIND_ARGUMENTS,
        BEHIND_CALL,
        END,
        LOST
    }

    /// A piece of a call.
    ///
    /// @param index which call, from 0
    /// @param name the function
    /// @param arguments the next characters of the arguments' text; empty in the first piece of a call
    public record Piece(int index, String name, String arguments) {}

    private final StringBuilder unread = new StringBuilder();
    private final StringBuilder arguments = new StringBuilder();
    private final List<ToolCall> calls = new ArrayList<>();
    private At at = At.OPEN;
    private String name = "";
    private int depth;
    private boolean inString;
    private boolean escaped;

    /// Begins in front of a text.
    public ToolCallStream() {}

    /// Takes more text and returns what it says.
    public List<Piece> append(String text) {
        unread.append(text);
        List<Piece> pieces = new ArrayList<>();
        boolean goesOn = true;
        while (goesOn) {
            goesOn = read(pieces);
        }
        return pieces;
    }

    /// Returns whether the text so far has the form; if not, nothing more is read.
    public boolean isInForm() {
        return at != At.LOST;
    }

    /// Returns whether the text is complete.
    public boolean isComplete() {
        return at == At.END && unread.isEmpty();
    }

    /// Returns the complete calls so far, without ids: those that models write are no good for telling calls apart.
    public List<ToolCall> calls() {
        return List.copyOf(calls);
    }

    /// Reads one thing.
    ///
    /// @return whether there may be another one
    private boolean read(List<Piece> pieces) {
        return switch (at) {
            case OPEN -> {
                while (!unread.isEmpty() && unread.charAt(0) == ' ') {
                    unread.deleteCharAt(0);
                }
                yield literal(OPEN, At.CALL);
            }
            case CALL -> {
                name = "";
                yield literal(NAME, At.NAME);
            }
            case NAME -> readName(pieces);
            case ARGUMENTS -> readArguments(pieces);
            case BEHIND_ARGUMENTS -> readId();
            case BEHIND_CALL -> {
                boolean isLast = !unread.isEmpty() && unread.charAt(0) == ']';
                yield isLast ? literal("]", At.END) : literal(", ", At.CALL);
            }
            case END -> {
                at = unread.isEmpty() ? At.END : At.LOST;
                yield false;
            }
            case LOST -> false;
        };
    }

    /// Reads a literal, if it is all there.
    private boolean literal(String expected, At next) {
        int length = Math.min(expected.length(), unread.length());
        if (!expected.startsWith(unread.substring(0, length))) {
            at = At.LOST;
            return false;
        }
        if (length < expected.length()) {
            return false;
        }
        unread.delete(0, length);
        at = next;
        return true;
    }

    private boolean readName(List<Piece> pieces) {
        int end = unread.indexOf("\"");
        if (end < 0) {
            return false;
        }
        name += unread.substring(0, end);
        unread.delete(0, end);
        if (!literal(ARGUMENTS, At.ARGUMENTS)) {
            return false;
        }
        arguments.setLength(0);
        pieces.add(new Piece(calls.size(), name, ""));
        return true;
    }

    /// Reads the arguments as far as they are there: an object, whose end is known by its brackets.
    private boolean readArguments(List<Piece> pieces) {
        if (arguments.isEmpty() && !unread.isEmpty() && unread.charAt(0) != '{') {
            at = At.LOST;
            return false;
        }
        int end = 0;
        boolean closed = false;
        while (end < unread.length() && !closed) {
            closed = closes(unread.charAt(end++));
        }
        if (end > 0) {
            String piece = unread.substring(0, end);
            unread.delete(0, end);
            arguments.append(piece);
            pieces.add(new Piece(calls.size(), name, piece));
        }
        if (closed) {
            calls.add(new ToolCall(null, name, arguments.toString()));
            at = At.BEHIND_ARGUMENTS;
        }
        return closed;
    }

    private boolean closes(char c) {
        if (inString) {
            inString = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            return false;
        }
        switch (c) {
            case '"' -> inString = true;
            case '{', '[' -> depth++;
            case '}', ']' -> depth--;
            default -> {}
        }
        return depth == 0;
    }

    private boolean readId() {
        if (!unread.isEmpty() && unread.charAt(0) == '}') {
            return literal("}", At.BEHIND_CALL);
        }
        int end = unread.length() < ID.length() ? -1 : unread.indexOf("\"}", ID.length());
        if (end < 0 || !unread.toString().startsWith(ID)) {
            boolean mayCome = ID.startsWith(unread.substring(0, Math.min(unread.length(), ID.length())));
            at = mayCome ? at : At.LOST;
            return false;
        }
        unread.delete(0, end + 2);
        at = At.BEHIND_CALL;
        return true;
    }
}

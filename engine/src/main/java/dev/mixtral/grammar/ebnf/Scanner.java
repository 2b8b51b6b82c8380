package dev.mixtral.grammar.ebnf;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;

/// Reads a grammar's text character by character. Confined to one thread.
final class Scanner {
    private final String text;
    private final String comment;
    int at;
    private int countedTo;
    private int line = 1;

    /// @param comment what begins a comment that goes on to the end of the line
    Scanner(String text, String comment) {
        this.text = text;
        this.comment = comment;
    }

    boolean atEnd() {
        return at >= text.length();
    }

    char peek() {
        return atEnd() ? '\0' : text.charAt(at);
    }

    boolean startsWith(String token) {
        return text.startsWith(token, at);
    }

    boolean take(String token) {
        if (startsWith(token)) {
            at += token.length();
            return true;
        }
        return false;
    }

    int next() {
        if (atEnd()) {
            throw invalid("ends too early");
        }
        int c = text.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    /// Passes over blanks and comments, and over line breaks if asked.
    void skip(boolean lineBreaks) {
        while (!atEnd()) {
            char c = peek();
            if (c == ' ' || c == '\t' || (lineBreaks && (c == '\n' || c == '\r'))) {
                at++;
            } else if (startsWith(comment)) {
                while (!atEnd() && peek() != '\n') {
                    at++;
                }
            } else {
                return;
            }
        }
    }

    /// Takes letters, digits and the given marks; empty if there are none.
    String name(String marks) {
        int from = at;
        while (!atEnd() && (Character.isLetterOrDigit(peek()) || marks.indexOf(peek()) >= 0)) {
            at++;
        }
        return text.substring(from, at);
    }

    int number() {
        int from = at;
        while (!atEnd() && peek() >= '0' && peek() <= '9') {
            at++;
        }
        if (from == at || at - from > 6) {
            throw invalid("needs a number of 1 to 6 digits");
        }
        return Integer.parseInt(text, from, at, 10);
    }

    /// Takes `length` hexadecimal digits.
    int hex(int length) {
        String digits = text.substring(at, Math.min(text.length(), at + length));
        if (digits.length() < length || !digits.matches("[0-9a-fA-F]+")) {
            throw invalid("needs " + length + " hexadecimal digits");
        }
        at += length;
        return Integer.parseInt(digits, 16);
    }

    /// Returns everything from a place up to here.
    String since(int from) {
        return text.substring(from, at);
    }

    /// Returns the line of the place, from 1. Counts on from the last place that was asked for.
    int line() {
        if (at < countedTo) {
            countedTo = 0;
            line = 1;
        }
        for (int end = Math.min(at, text.length()); countedTo < end; countedTo++) {
            line += text.charAt(countedTo) == '\n' ? 1 : 0;
        }
        return line;
    }

    GrammarException invalid(String problem) {
        return new GrammarException(Reason.INVALID, "line " + line(), "", "the grammar " + problem);
    }

    GrammarException unsupported(String problem) {
        return new GrammarException(Reason.UNSUPPORTED, "line " + line(), "", "the grammar " + problem);
    }
}

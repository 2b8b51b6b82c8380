package dev.mixtral.chat;

import dev.mixtral.error.InvalidRequestException;
import java.math.BigInteger;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Reads JSON as Python's `json.loads` does, which decides whether a tool's answer is a value or plain text.
///
/// Different from a strict reader: `NaN`, `Infinity` and `-Infinity` are numbers, a doubled key keeps its first place
/// and takes its last value, lone surrogates are accepted. Confined to one thread.
final class PythonJsonReader {
    /// Python raises an error beyond about a thousand levels.
    private static final int MAX_DEPTH = 500;
    /// The limit of Python's `int()`.
    private static final int MAX_DIGITS = 4300;

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final Pattern NUMBER = Pattern.compile("(-?(?:0|[1-9][0-9]*))(\\.[0-9]+)?([eE][-+]?[0-9]+)?");

    private final String text;
    private final String param;
    private int at;
    private int depth;

    private PythonJsonReader(String text, String param) {
        this.text = text;
        this.param = param;
    }

    /// Returns the value of a text that is JSON, or empty.
    ///
    /// @param param where the text comes from, for messages
    /// @throws InvalidRequestException if it is nested too deeply or holds an integer of too many digits
    static Optional<JsonNode> loads(String text, String param) {
        PythonJsonReader reader = new PythonJsonReader(text, param);
        try {
            reader.skipSpace();
            JsonNode value = reader.value();
            reader.skipSpace();
            return reader.at == text.length() ? Optional.of(value) : Optional.empty();
        } catch (NotJsonException e) {
            return Optional.empty();
        }
    }

    private JsonNode value() throws NotJsonException {
        if (at == text.length()) {
            throw new NotJsonException();
        }
        return switch (text.charAt(at)) {
            case '{' -> nested(this::object);
            case '[' -> nested(this::array);
            case '"' -> NODES.stringNode(string());
            case 't' -> word("true", NODES.booleanNode(true));
            case 'f' -> word("false", NODES.booleanNode(false));
            case 'n' -> word("null", NODES.nullNode());
            case 'N' -> word("NaN", NODES.numberNode(Double.NaN));
            case 'I' -> word("Infinity", NODES.numberNode(Double.POSITIVE_INFINITY));
            default ->
                text.startsWith("-I", at) ? word("-Infinity", NODES.numberNode(Double.NEGATIVE_INFINITY)) : number();
        };
    }

    private interface Production {
        JsonNode read() throws NotJsonException;
    }

    private JsonNode nested(Production production) throws NotJsonException {
        if (++depth > MAX_DEPTH) {
            throw new InvalidRequestException(
                    param, param + ": JSON is nested more than " + MAX_DEPTH + " levels deep");
        }
        JsonNode value = production.read();
        depth--;
        return value;
    }

    private JsonNode object() throws NotJsonException {
        ObjectNode object = NODES.objectNode();
        at++;
        skipSpace();
        if (take('}')) {
            return object;
        }
        do {
            skipSpace();
            if (at == text.length() || text.charAt(at) != '"') {
                throw new NotJsonException();
            }
            String key = string();
            skipSpace();
            require(':');
            skipSpace();
            object.set(key, value());
            skipSpace();
        } while (take(','));
        require('}');
        return object;
    }

    private JsonNode array() throws NotJsonException {
        ArrayNode array = NODES.arrayNode();
        at++;
        skipSpace();
        if (take(']')) {
            return array;
        }
        do {
            skipSpace();
            array.add(value());
            skipSpace();
        } while (take(','));
        require(']');
        return array;
    }

    private String string() throws NotJsonException {
        StringBuilder value = new StringBuilder();
        at++;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return value.toString();
            }
            if (c < ' ') {
                throw new NotJsonException();
            }
            value.append(c == '\\' ? escaped() : c);
        }
        throw new NotJsonException();
    }

    private char escaped() throws NotJsonException {
        if (at == text.length()) {
            throw new NotJsonException();
        }
        char c = text.charAt(at++);
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> hex();
            default -> throw new NotJsonException();
        };
    }

    private char hex() throws NotJsonException {
        if (at + 4 > text.length()) {
            throw new NotJsonException();
        }
        int value = 0;
        for (int i = 0; i < 4; i++) {
            char c = text.charAt(at++);
            int digit = c < 128 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw new NotJsonException();
            }
            value = 16 * value + digit;
        }
        return (char) value;
    }

    private JsonNode number() throws NotJsonException {
        Matcher matcher = NUMBER.matcher(text).region(at, text.length());
        if (!matcher.lookingAt()) {
            throw new NotJsonException();
        }
        at = matcher.end();
        if (matcher.group(2) != null || matcher.group(3) != null) {
            return NODES.numberNode(Double.parseDouble(matcher.group()));
        }
        if (matcher.group().length() > MAX_DIGITS) {
            throw new InvalidRequestException(param, param + ": an integer has more than " + MAX_DIGITS + " digits");
        }
        return NODES.numberNode(new BigInteger(matcher.group()));
    }

    private JsonNode word(String word, JsonNode value) throws NotJsonException {
        if (!text.startsWith(word, at)) {
            throw new NotJsonException();
        }
        at += word.length();
        return value;
    }

    private void skipSpace() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean take(char expected) {
        boolean found = at < text.length() && text.charAt(at) == expected;
        at += found ? 1 : 0;
        return found;
    }

    private void require(char expected) throws NotJsonException {
        if (!take(expected)) {
            throw new NotJsonException();
        }
    }

    /// The text is no JSON. Never leaves this class.
    private static final class NotJsonException extends Exception {
        private static final long serialVersionUID = 1L;

        NotJsonException() {
            super(null, null, false, false);
        }
    }
}

package dev.mixtral.cli;

import dev.mixtral.chat.ChatJson;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.MixtralException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;
import picocli.CommandLine;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Runs a function over JSONL: one object per line of stdin gives one object per line of stdout.
///
/// A line that fails gives `{"error":…,"line":N}` in its place and the others are still processed; the exit code is 1
/// then. Blank lines are passed over. Every answer is flushed, so a program may talk to the command line by line.
final class JsonLines {
    /// Strict: a repeated key or anything after the object is an error.
    static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonLines() {}

    /// Answers every line of the terminal's input.
    ///
    /// @param answer makes the answer from a line's object; may throw a [MixtralException]
    /// @return the exit code
    static int process(Terminal terminal, UnaryOperator<ObjectNode> answer) throws IOException {
        return process(terminal, MAPPER, answer);
    }

    /// Same, with lines read by another mapper.
    ///
    /// @param reader as strict as [#MAPPER]
    static int process(Terminal terminal, JsonMapper reader, UnaryOperator<ObjectNode> answer) throws IOException {
        int exitCode = CommandLine.ExitCode.OK;
        int number = 0;
        for (byte[] line = readLine(terminal.in()); line.length > 0; line = readLine(terminal.in())) {
            number++;
            if (new String(line, StandardCharsets.UTF_8).isBlank()) {
                continue;
            }
            ObjectNode result;
            try {
                result = answer.apply(parse(reader, line));
            } catch (MixtralException | IllegalArgumentException | JacksonException e) {
                result = MAPPER.createObjectNode().put("error", message(e)).put("line", number);
                exitCode = CommandLine.ExitCode.SOFTWARE;
            }
            terminal.out().println(MAPPER.writeValueAsString(result));
            terminal.out().flush();
        }
        return exitCode;
    }

    private static ObjectNode parse(JsonMapper reader, byte[] line) {
        if (reader.readTree(line) instanceof ObjectNode object) {
            return object;
        }
        throw new InvalidRequestException("", "expected a JSON object on this line");
    }

    /// Reads a line that holds a conversation.
    ///
    /// @param place where the line is, for the message of a failure
    /// @throws InvalidRequestException if it is not one
    static ChatJson.Request conversation(String line, String place) {
        try {
            return ChatJson.forApi().read(parse(MAPPER, line.getBytes(StandardCharsets.UTF_8)));
        } catch (InvalidRequestException | JacksonException e) {
            throw new InvalidRequestException("messages", place + ": " + message(e));
        }
    }

    private static String message(RuntimeException failure) {
        return failure instanceof JacksonException json
                ? "not valid JSON: " + json.getOriginalMessage()
                : String.valueOf(failure.getMessage());
    }

    /// Reads up to the next line feed, which is part of the result; empty at the end of the input.
    private static byte[] readLine(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int b;
        while ((b = in.read()) >= 0) {
            line.write(b);
            if (b == '\n') {
                break;
            }
        }
        return line.toByteArray();
    }

    /// Returns the text under a key.
    ///
    /// @throws InvalidRequestException if there is none
    static String text(ObjectNode object, String key) {
        JsonNode value = object.get(key);
        if (value == null || !value.isString()) {
            throw new InvalidRequestException(key, "expected a string under \"" + key + "\"");
        }
        return value.stringValue();
    }

    /// Returns the token ids under a key.
    ///
    /// @param limit ids must be smaller than this
    /// @throws InvalidRequestException if there are none, or one is not an id
    static int[] ids(ObjectNode object, String key, int limit) {
        JsonNode array = object.get(key);
        if (array == null || !array.isArray()) {
            throw new InvalidRequestException(key, "expected an array of token ids under \"" + key + "\"");
        }
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = array.get(i);
            if (!id.isInt() || id.intValue() < 0 || id.intValue() >= limit) {
                throw new InvalidRequestException(
                        key + "[" + i + "]", "expected a token id of 0 to " + (limit - 1) + ", got " + id);
            }
            ids[i] = id.intValue();
        }
        return ids;
    }

    /// Returns token ids as a JSON array.
    static ArrayNode array(int[] ids) {
        ArrayNode array = MAPPER.createArrayNode();
        for (int id : ids) {
            array.add(id);
        }
        return array;
    }
}

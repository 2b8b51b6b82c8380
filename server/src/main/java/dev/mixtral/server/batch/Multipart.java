package dev.mixtral.server.batch;

import dev.mixtral.server.wire.ApiException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads forms with files: `multipart/form-data`, RFC 7578.
final class Multipart {
    private static final Pattern BOUNDARY =
            Pattern.compile("(?i)multipart/form-data\\s*;.*?\\bboundary=(?:\"([^\"]{1,70})\"|([^\\s;\"]{1,70})).*");
    private static final Pattern DISPOSITION = Pattern.compile("(?i)content-disposition:\\s*form-data\\s*;(.*)");
    private static final int MAX_PARTS = 100;
    private static final int MAX_HEAD_BYTES = 8192;

    private final byte[] body;
    private final byte[] delimiter;
    private final Map<String, Part> parts = new LinkedHashMap<>();

    /// A field of a form.
    ///
    /// @param filename what the client calls the file, or `null` if the field is none
    record Part(@Nullable String filename, byte[] content) {
        String text() {
            return new String(content, StandardCharsets.UTF_8);
        }
    }

    private Multipart(byte[] body, String boundary) {
        this.body = body;
        this.delimiter = ("\r\n--" + boundary).getBytes(StandardCharsets.ISO_8859_1);
    }

    /// Reads a body.
    ///
    /// @return the fields by name; of several with one name the first counts
    /// @throws ApiException if it is no form
    static Map<String, Part> parse(String contentType, byte[] body) {
        Matcher matcher = BOUNDARY.matcher(contentType);
        if (!matcher.matches()) {
            throw malformed("the Content-Type must be multipart/form-data with a boundary");
        }
        Multipart form = new Multipart(body, matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
        form.readParts();
        return form.parts;
    }

    private static ApiException malformed(String detail) {
        return ApiException.invalid("file", null, "Could not parse multipart form: " + detail + ".");
    }

    private void readParts() {
        // The first delimiter may stand at the very beginning, without the line break before it.
        int at = startsWith(delimiter, 2, 0) ? delimiter.length - 2 : after(indexOf(delimiter, 0));
        for (int number = 0; !startsWith(new byte[] {'-', '-'}, 0, at); number++) {
            if (number == MAX_PARTS) {
                throw malformed("it has more than " + MAX_PARTS + " parts");
            }
            int headStart = after(indexOf(new byte[] {'\r', '\n'}, at), 2);
            int headEnd = headEnd(headStart);
            int contentStart = Math.min(body.length, headEnd + 4);
            // An empty part has its delimiter's line break as the end of its head.
            int contentEnd = indexOf(delimiter, headEnd + 2);
            at = after(contentEnd);
            add(
                    new String(body, headStart, headEnd - headStart, StandardCharsets.UTF_8),
                    Arrays.copyOfRange(body, Math.min(contentStart, contentEnd), contentEnd));
        }
    }

    private int headEnd(int start) {
        int end = indexOf(new byte[] {'\r', '\n', '\r', '\n'}, start);
        if (end < 0 || end - start > MAX_HEAD_BYTES) {
            throw malformed("a part's headers have no end");
        }
        return end;
    }

    private int after(int delimiterStart) {
        return after(delimiterStart, delimiter.length);
    }

    private static int after(int start, int length) {
        if (start < 0) {
            throw malformed("it ends before its last boundary");
        }
        return start + length;
    }

    private void add(String head, byte[] content) {
        for (String line : head.split("\r\n", -1)) {
            Matcher matcher = DISPOSITION.matcher(line);
            if (matcher.matches()) {
                String name = parameter(matcher.group(1), "name");
                if (name == null) {
                    throw malformed("a part has no name");
                }
                parts.putIfAbsent(name, new Part(parameter(matcher.group(1), "filename"), content));
            }
        }
    }

    private static @Nullable String parameter(String parameters, String name) {
        Matcher matcher = Pattern.compile("(?i)(?:^|;)\\s*" + name + "=(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^\\s;\"]+))")
                .matcher(parameters);
        if (!matcher.find()) {
            return null;
        }
        return matcher.group(1) == null
                ? matcher.group(2)
                : matcher.group(1).replaceAll("\\\\(.)", "$1").replace("%22", "\"");
    }

    private boolean startsWith(byte[] wanted, int skip, int at) {
        return at + wanted.length - skip <= body.length
                && Arrays.equals(wanted, skip, wanted.length, body, at, at + wanted.length - skip);
    }

    private int indexOf(byte[] wanted, int from) {
        for (int i = from; i <= body.length - wanted.length; i++) {
            if (body[i] == wanted[0] && startsWith(wanted, 0, i)) {
                return i;
            }
        }
        return -1;
    }
}

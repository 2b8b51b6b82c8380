package dev.mixtral.server.api;

import java.io.ByteArrayOutputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The path of a request target, forgiving: a trailing slash, doubled slashes and a fragment make no difference, and
/// `%2F` is a slash within a segment. Immutable.
///
/// @param segments decoded, none empty
/// @param query decoded parameters; of several with one name the first counts
record RequestPath(List<String> segments, Map<String, String> query) {

    /// Reads a target, or returns `null` if it is none.
    static @Nullable RequestPath parse(String target) {
        String rest = withoutAuthority(target);
        rest = before(rest, '#');
        String path = before(rest, '?');
        if (!path.startsWith("/")) {
            return null;
        }
        List<String> segments = new ArrayList<>();
        for (String raw : path.split("/", -1)) {
            if (!raw.isEmpty()) {
                String segment = decode(raw);
                if (segment == null) {
                    return null;
                }
                segments.add(segment);
            }
        }
        return new RequestPath(List.copyOf(segments), query(rest.substring(path.length())));
    }

    /// Returns the path as people write it, for messages.
    String text() {
        return "/" + String.join("/", segments);
    }

    private static String withoutAuthority(String target) {
        if (!target.startsWith("http://") && !target.startsWith("https://")) {
            return target;
        }
        int slash = target.indexOf('/', target.indexOf("://") + 3);
        return slash < 0 ? "/" : target.substring(slash);
    }

    private static String before(String text, char end) {
        int at = text.indexOf(end);
        return at < 0 ? text : text.substring(0, at);
    }

    /// Undoes percent-encoding, or returns `null` if it is broken.
    private static @Nullable String decode(String raw) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c != '%') {
                bytes.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
                continue;
            }
            boolean isWhole = i + 2 < raw.length();
            int high = isWhole ? Character.digit(raw.charAt(i + 1), 16) : -1;
            int low = isWhole ? Character.digit(raw.charAt(i + 2), 16) : -1;
            if (high < 0 || low < 0) {
                return null;
            }
            bytes.write(high << 4 | low);
            i += 2;
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static Map<String, String> query(String text) {
        Map<String, String> parameters = new HashMap<>();
        for (String pair : text.isEmpty() ? new String[0] : text.substring(1).split("&", -1)) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            String value = equals < 0 ? "" : pair.substring(equals + 1);
            try {
                parameters.putIfAbsent(
                        URLDecoder.decode(name, StandardCharsets.UTF_8),
                        URLDecoder.decode(value, StandardCharsets.UTF_8));
            } catch (IllegalArgumentException e) {
                // A broken escape in a parameter that nobody reads is no reason to refuse the request.
                parameters.putIfAbsent(name, value);
            }
        }
        return Map.copyOf(parameters);
    }
}

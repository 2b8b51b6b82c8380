package dev.mixtral.server.api;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Sends the files of the web page, which lie in the program's own resources. Thread-safe.
final class StaticFiles {
    private static final String FOLDER = "/web/";
    private static final String INDEX = "index.html";
    /// No dots at the start, so neither `..` nor hidden files.
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*");

    private static final int MAX_SEGMENTS = 4;
    private static final int ETAG_BYTES = 16;
    private static final Map<String, String> TYPES = Map.ofEntries(
            Map.entry("html", "text/html; charset=utf-8"),
            Map.entry("css", "text/css; charset=utf-8"),
            Map.entry("js", "text/javascript; charset=utf-8"),
            Map.entry("mjs", "text/javascript; charset=utf-8"),
            Map.entry("json", "application/json"),
            Map.entry("svg", "image/svg+xml"),
            Map.entry("png", "image/png"),
            Map.entry("ico", "image/x-icon"),
            Map.entry("txt", "text/plain; charset=utf-8"),
            Map.entry("webmanifest", "application/manifest+json"));
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
                    + " connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final Map<String, File> files = new ConcurrentHashMap<>();

    /// A file as it is sent.
    private record File(byte[] content, String type, String etag) {}

    /// Returns whether there is a file at a path.
    boolean has(List<String> segments) {
        return file(segments).isPresent();
    }

    /// Sends the file at a path, or that it has not changed.
    void send(Call call, List<String> segments) {
        File file = file(segments).orElseThrow();
        Map<String, String> headers = new HashMap<>();
        headers.put("etag", file.etag());
        headers.put("cache-control", "no-cache");
        headers.put("content-security-policy", POLICY);
        headers.put("x-content-type-options", "nosniff");
        headers.put("referrer-policy", "no-referrer");
        if (file.etag().equals(call.head().header("if-none-match"))) {
            call.respond(304, headers, new byte[0]);
        } else {
            headers.put("content-type", file.type());
            call.respond(200, headers, file.content());
        }
    }

    private Optional<File> file(List<String> segments) {
        boolean isName = segments.size() <= MAX_SEGMENTS
                && segments.stream().allMatch(segment -> NAME.matcher(segment).matches());
        if (!isName) {
            return Optional.empty();
        }
        String name = segments.isEmpty() ? INDEX : String.join("/", segments);
        File known = files.get(name);
        if (known == null) {
            known = load(name);
            if (known != null) {
                files.put(name, known);
            }
        }
        return Optional.ofNullable(known);
    }

    private static @Nullable File load(String name) {
        String type = TYPES.get(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT));
        if (type == null) {
            return null;
        }
        try (InputStream stream = StaticFiles.class.getResourceAsStream(FOLDER + name)) {
            if (stream == null) {
                return null;
            }
            byte[] content = stream.readAllBytes();
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
            return new File(content, type, '"' + HexFormat.of().formatHex(digest, 0, ETAG_BYTES) + '"');
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read resource " + FOLDER + name, e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}

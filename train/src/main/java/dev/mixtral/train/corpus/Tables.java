package dev.mixtral.train.corpus;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads the text tables that lie beside this class.
final class Tables {
    private Tables() {}

    /// Returns the lines of a resource; blank lines and lines that begin with `#` are left out.
    static List<String> lines(String name) {
        return text(name)
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .toList();
    }

    /// Returns the rows of a table whose cells are separated by `|`, each cell stripped.
    static List<List<String>> rows(String name) {
        var rows = new ArrayList<List<String>>();
        for (String line : lines(name)) {
            rows.add(split(line, '|'));
        }
        return List.copyOf(rows);
    }

    /// Returns named lists: lines `key: a, b, c`; a key may go on over several lines.
    static Map<String, List<String>> lists(String name, char separator) {
        var lists = new LinkedHashMap<String, List<String>>();
        for (String line : lines(name)) {
            int colon = line.indexOf(':');
            lists.computeIfAbsent(line.substring(0, colon).strip(), _ -> new ArrayList<>())
                    .addAll(split(line.substring(colon + 1), separator));
        }
        return lists;
    }

    /// Splits at a character and strips the parts.
    static List<String> split(String line, char separator) {
        var parts = new ArrayList<String>();
        int from = 0;
        for (int i = 0; i <= line.length(); i++) {
            if (i == line.length() || line.charAt(i) == separator) {
                parts.add(line.substring(from, i).strip());
                from = i + 1;
            }
        }
        return List.copyOf(parts);
    }

    /// Returns a whole resource as text.
    static String text(String name) {
        try (InputStream in = Tables.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource " + name + " is missing beside " + Tables.class.getName());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("resource " + name, e);
        }
    }
}

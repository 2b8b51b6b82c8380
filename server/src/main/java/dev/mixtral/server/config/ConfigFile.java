package dev.mixtral.server.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.dataformat.yaml.YAMLFactory;

/// Reads a configuration file: one YAML mapping from names to plain values or lists of them.
///
/// Values are kept as they are written, so that `context-tokens: 1e3` is refused for what stands there, and with the
/// line they stand in.
public final class ConfigFile {
    private final Path path;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /// What a file says about one name.
    ///
    /// @param texts the value, or the elements of a list
    /// @param isList whether it is written as a list
    public record Entry(List<String> texts, boolean isList, int line) {}

    private ConfigFile(Path path) {
        this.path = path;
    }

    /// Reads a file.
    ///
    /// @throws ConfigException if it is not there, or is no YAML mapping of plain values
    public static Map<String, Entry> read(Path path) {
        ConfigFile file = new ConfigFile(path);
        String text = file.text();
        YAMLFactory yaml = YAMLFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();
        try (JsonParser parser = yaml.createParser(ObjectReadContext.empty(), text)) {
            file.readMapping(parser);
        } catch (JacksonException e) {
            throw new ConfigException(path + ":" + e.getLocation().getLineNr() + ": " + e.getOriginalMessage());
        }
        return file.entries;
    }

    private String text() {
        try {
            return Files.readString(path);
        } catch (NoSuchFileException e) {
            throw new ConfigException("there is no configuration file " + path);
        } catch (CharacterCodingException e) {
            throw new ConfigException(path + ": the configuration file is not UTF-8 text");
        } catch (IOException e) {
            throw new UncheckedIOException("reading the configuration file " + path + " failed: " + e.getMessage(), e);
        }
    }

    private void readMapping(JsonParser parser) {
        JsonToken first = parser.nextToken();
        if (first == null || first == JsonToken.VALUE_NULL) {
            return;
        }
        if (first != JsonToken.START_OBJECT) {
            throw failure(line(parser), "expected lines of the form 'name: value'");
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            int line = line(parser);
            entries.put(name, readValue(parser, name, line));
        }
        if (parser.nextToken() != null) {
            throw failure(line(parser), "expected one YAML document, got several");
        }
    }

    private Entry readValue(JsonParser parser, String name, int line) {
        JsonToken token = parser.nextToken();
        if (token != JsonToken.START_ARRAY) {
            return new Entry(List.of(scalar(parser, token, name, line)), false, line);
        }
        List<String> texts = new ArrayList<>();
        for (JsonToken next = parser.nextToken(); next != JsonToken.END_ARRAY; next = parser.nextToken()) {
            texts.add(scalar(parser, next, name, line));
        }
        return new Entry(List.copyOf(texts), true, line);
    }

    private String scalar(JsonParser parser, @Nullable JsonToken token, String name, int line) {
        if (token == JsonToken.VALUE_NULL) {
            throw failure(line, name + " has no value; give it one, or take the line out for the default");
        }
        if (token == null || !token.isScalarValue()) {
            throw failure(line, name + ": expected a plain value, got " + (token == null ? "the end" : "a structure"));
        }
        return parser.getString().strip();
    }

    private static int line(JsonParser parser) {
        return parser.currentTokenLocation().getLineNr();
    }

    private ConfigException failure(int line, String what) {
        return new ConfigException(path + ":" + line + ": " + what);
    }
}

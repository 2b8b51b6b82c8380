package dev.mixtral.train.data;

import dev.mixtral.error.InvalidRequestException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/// Reads files of training data.
///
/// | file | one example is |
/// |---|---|
/// | `.txt`, `.md` | the whole file, a text |
/// | JSONL: one object per line | a line |
/// | JSON: one array of objects | an element |
///
/// What an object means is told by its members: see [ExampleJson]. Nothing is skipped: what cannot be read is a fault
/// with its line. Confined to one thread.
public final class DataFiles {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private static final ObjectReader ELEMENTS = JSON.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final List<DataExample> examples = new ArrayList<>();
    private final List<DataFault> faults = new ArrayList<>();
    private final ExampleJson reader = new ExampleJson();

    private DataFiles() {}

    /// What some files hold.
    ///
    /// @param examples that can be learned from, in the order of the files
    /// @param faults one for each example that cannot
    /// @param rewrittenIds tool calls whose id was replaced by nine letters and digits, which the format
    ///     asks for
    public record Content(List<DataExample> examples, List<DataFault> faults, int rewrittenIds) {
        public Content {
            examples = List.copyOf(examples);
            faults = List.copyOf(faults);
        }
    }

    /// Reads files.
    ///
    /// @throws InvalidRequestException if a file is not there or empty
    /// @throws UncheckedIOException if a file cannot be read
    public static Content read(List<Path> files) {
        DataFiles data = new DataFiles();
        for (Path file : files) {
            if (!Files.isRegularFile(file)) {
                throw new InvalidRequestException("data", "there is no data file " + file);
            }
            try {
                data.readFile(file);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }
        return new Content(data.examples, data.faults, data.reader.rewrittenIds());
    }

    private void readFile(Path file) throws IOException {
        int before = examples.size() + faults.size();
        String name = file.toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".txt") || name.endsWith(".md")) {
            readText(file);
        } else if (firstCharacter(file) == '[') {
            readArray(file);
        } else {
            readLines(file);
        }
        if (examples.size() + faults.size() == before) {
            throw new InvalidRequestException("data", file + " is empty: there is no example in it");
        }
    }

    private static int firstCharacter(Path file) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            int next = in.read();
            while (next == ' ' || next == '\n' || next == '\r' || next == '\t') {
                next = in.read();
            }
            return next;
        }
    }

    private void readText(Path file) throws IOException {
        String text = decode(Files.readAllBytes(file));
        Origin origin = new Origin(file, 1);
        if (text == null) {
            faults.add(new DataFault(origin, "the text is not UTF-8"));
        } else if (!text.isBlank()) {
            examples.add(new DataExample.Text(origin, text.strip()));
        }
    }

    private void readLines(Path file) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            int number = 1;
            for (int next = in.read(); next >= 0; next = in.read()) {
                if (next == '\n') {
                    readLine(new Origin(file, number++), line.toByteArray());
                    line.reset();
                } else {
                    line.write(next);
                }
            }
            readLine(new Origin(file, number), line.toByteArray());
        }
    }

    private void readLine(Origin origin, byte[] bytes) {
        String line = decode(bytes);
        if (line == null) {
            faults.add(new DataFault(origin, "the line is not UTF-8"));
        } else if (!line.isBlank()) {
            try {
                add(origin, JSON.readTree(line));
            } catch (JacksonException e) {
                faults.add(new DataFault(origin, "no JSON: " + e.getOriginalMessage()));
            }
        }
    }

    private void readArray(Path file) {
        try (JsonParser parser = JSON.createParser(file)) {
            parser.nextToken();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                int line = parser.currentTokenLocation().getLineNr();
                add(new Origin(file, line), ELEMENTS.readTree(parser));
            }
            if (parser.nextToken() != null) {
                faults.add(new DataFault(
                        new Origin(file, parser.currentTokenLocation().getLineNr()),
                        "something follows the array; expected one array, or one object per line"));
            }
        } catch (JacksonException e) {
            int line = e.getLocation() == null ? 1 : e.getLocation().getLineNr();
            faults.add(new DataFault(
                    new Origin(file, line),
                    "no JSON: " + e.getOriginalMessage() + "; nothing behind this place was read"));
        }
    }

    private void add(Origin origin, JsonNode node) {
        try {
            examples.add(reader.read(origin, node));
        } catch (InvalidRequestException e) {
            faults.add(new DataFault(origin, String.valueOf(e.getMessage())));
        }
    }

    private static @Nullable String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException _) {
            return null;
        }
    }
}

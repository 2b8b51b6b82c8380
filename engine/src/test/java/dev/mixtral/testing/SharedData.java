package dev.mixtral.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The project's golden data, which may lie beside a clone. A test that needs it ends, and says so, where it is
/// absent.
public final class SharedData {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private SharedData() {}

    /// Returns a file of the golden data, or ends the test if there is none.
    public static Path file(String name) {
        Path folder = Path.of(System.getProperty("mixtral.shared.data", "../shared/data"));
        Path file = folder.resolve(name);
        if (!Files.exists(file)) {
            Assumptions.assumeTrue(false, file + " is absent: golden test not run");
        }
        return file;
    }

    /// Returns the lines of a JSONL file of the golden data.
    public static List<JsonNode> lines(String name) {
        try {
            return Files.readAllLines(file(name)).stream().map(MAPPER::readTree).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Returns a JSON array of integers as an array.
    public static int[] ids(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::intValue).toArray();
    }
}

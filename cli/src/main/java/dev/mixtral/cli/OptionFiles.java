package dev.mixtral.cli;

import dev.mixtral.cli.OptionChecks.UsageException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Files that options name.
final class OptionFiles {
    private OptionFiles() {}

    /// Reads a file of JSON.
    ///
    /// @throws UsageException if it is none
    static JsonNode json(String option, Path file, JsonMapper mapper) throws IOException {
        try {
            return mapper.readTree(Files.readAllBytes(file));
        } catch (JacksonException e) {
            throw new UsageException(option + ": " + file + ", line "
                    + e.getLocation().getLineNr() + ", is no JSON: " + e.getOriginalMessage());
        }
    }

    /// Reads a file of text.
    ///
    /// @throws UsageException if it is not UTF-8
    static String text(String option, Path file) throws IOException {
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new UsageException(option + ": " + file + " is not UTF-8");
        }
    }
}

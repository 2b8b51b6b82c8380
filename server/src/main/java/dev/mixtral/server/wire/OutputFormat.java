package dev.mixtral.server.wire;

import java.util.List;
import tools.jackson.databind.JsonNode;

/// The form that an answer must have. Every form but free text names the field that asked for it.
public sealed interface OutputFormat {
    /// Free text.
    record Text() implements OutputFormat {}

    /// One JSON object, of any content.
    record AnyObject(String param) implements OutputFormat {}

    /// The JSON encoding of an instance of a schema.
    record Schema(String param, JsonNode schema) implements OutputFormat {}

    /// One of these texts, as it stands.
    record Choice(String param, List<String> texts) implements OutputFormat {
        public Choice {
            texts = List.copyOf(texts);
        }
    }

    /// A text that matches a regular expression as a whole.
    record Regex(String param, String pattern) implements OutputFormat {}

    /// A text of a GBNF grammar.
    record Grammar(String param, String source) implements OutputFormat {}
}

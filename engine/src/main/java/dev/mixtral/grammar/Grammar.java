package dev.mixtral.grammar;

import java.util.List;
import tools.jackson.databind.JsonNode;

/// What an answer must look like. Immutable.
public sealed interface Grammar {
    /// In which order an object's keys may be written.
    enum KeyOrder {
        /// The order of the schema, other keys behind: what models do best with, and what callers expect.
        SCHEMA,
        /// Any: every text that the schema allows.
        ANY
    }

    /// A JSON text that a schema allows.
    ///
    /// @param schema the schema, drafts 4 to 2020-12; not to be changed afterwards
    /// @param order the order of keys
    record JsonSchema(JsonNode schema, KeyOrder order) implements Grammar {
        /// The keys in the schema's order.
        public JsonSchema(JsonNode schema) {
            this(schema, KeyOrder.SCHEMA);
        }
    }

    /// Any JSON object.
    record JsonObject() implements Grammar {}

    /// A text that an ECMA-262 pattern matches from end to end; `.` takes line ends too.
    record Regex(String pattern) implements Grammar {}

    /// One of some texts, as it stands.
    record Choice(List<String> texts) implements Grammar {
        public Choice {
            texts = List.copyOf(texts);
        }
    }

    /// A text of a grammar in llama.cpp's GBNF; its rule `root` is the outermost one.
    record Gbnf(String text) implements Grammar {}

    /// A text of a grammar in a subset of Lark; its rule `start` is the outermost one.
    record Lark(String text) implements Grammar {}
}

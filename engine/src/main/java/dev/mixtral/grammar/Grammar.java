package dev.mixtral.grammar;

import dev.mixtral.error.InvalidRequestException;
import java.util.List;
import org.jspecify.annotations.Nullable;
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

    /// A function that may be called.
    ///
    /// @param name its name, without quotes, backslashes and control characters
    /// @param parameters the schema of its arguments, which are an object in any case; one with empty
    ///     `properties` and no other keyword means that there are none; not to be changed afterwards
    record Function(String name, JsonNode parameters) {
        /// Checks the name.
        ///
        /// @throws InvalidRequestException if it could not stand in a JSON string as it is
        public Function {
            if (name.isEmpty() || name.chars().anyMatch(c -> c == '"' || c == '\\' || c < ' ')) {
                throw new InvalidRequestException(
                        "tools",
                        "a function is called '" + name + "'; a name has one character or more, and none of them is a"
                                + " quote, a backslash or a control character");
            }
        }
    }

    /// Calls of functions, as Mistral's models write them: `[{"name": "f", "arguments": {}}]`, the frame letter
    /// by letter, arguments by the function's schema, and an id of nine letters and digits behind them if the
    /// model wants one. Where a function's schema is at fault, the place that a failure names begins with
    /// `function 'f'`.
    ///
    /// @param functions the functions; at least one
    /// @param maxCalls most calls; at least 1
    /// @param trigger a text in front of the array, for models that have no token for it; empty for none
    record Calls(List<Function> functions, int maxCalls, String trigger) implements Grammar {
        public Calls {
            functions = List.copyOf(functions);
            if (functions.isEmpty() || maxCalls < 1) {
                throw new IllegalArgumentException("calls need a function or more, and one call or more; got "
                        + functions.size() + " functions, " + maxCalls + " calls");
            }
        }
    }

    /// Any text in which another one does not appear.
    ///
    /// @param excluded the other one; not empty
    record AnyTextWithout(String excluded) implements Grammar {
        public AnyTextWithout {
            if (excluded.isEmpty()) {
                throw new IllegalArgumentException("every text has the empty one in it");
            }
        }
    }

    /// Either a text or calls, for models that write both as text.
    ///
    /// @param text what a text must look like, which calls may come in place of; or `null` for any text without the
    ///     trigger, which calls may also follow
    /// @param calls the calls, with a trigger
    record TextOrCalls(@Nullable Grammar text, Calls calls) implements Grammar {
        public TextOrCalls {
            if (calls.trigger().isEmpty()) {
                throw new IllegalArgumentException("without a trigger, calls cannot be told from text");
            }
        }
    }
}

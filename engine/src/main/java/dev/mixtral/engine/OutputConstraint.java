package dev.mixtral.engine;

import dev.mixtral.grammar.CompiledGrammar;
import org.jspecify.annotations.Nullable;

/// What an answer must look like: tokens that would leave it are never chosen, and the answer ends where nothing else
/// is left. Immutable and thread-safe; the grammars come from [Engine#grammars()] of the same engine.
///
/// Stop texts and token limits still end an answer early.
public sealed interface OutputConstraint {
    /// All of the answer is a text of a grammar.
    ///
    /// @param grammar what the text must look like
    /// @param begun the beginning of the text, where the prompt ends with one that the answer continues; else empty
    record Text(CompiledGrammar grammar, String begun) implements OutputConstraint {
        /// Binds a text from its beginning, or one that nothing is said of what comes before it.
        public Text(CompiledGrammar grammar) {
            this(grammar, "");
        }
    }

    /// The answer is calls of tools, behind the control token `[TOOL_CALLS]`.
    ///
    /// @param calls the grammar of [dev.mixtral.grammar.Grammar.Calls] without a trigger
    record Calls(CompiledGrammar calls) implements OutputConstraint {}

    /// The answer is a text, or calls of tools. Free text may come before calls as well.
    ///
    /// @param text what binds the text, which calls then come in place of; or `null` for free text
    /// @param calls the grammar of [dev.mixtral.grammar.Grammar.Calls] without a trigger
    record TextOrCalls(@Nullable Text text, CompiledGrammar calls) implements OutputConstraint {}
}

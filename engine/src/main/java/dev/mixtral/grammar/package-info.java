/// Grammars: what an answer must look like, and which tokens keep it so.
///
/// Entry classes: [dev.mixtral.grammar.GrammarCompiler] compiles a [dev.mixtral.grammar.Grammar] for a
/// vocabulary, [dev.mixtral.grammar.GrammarMatcher] follows one answer. May use `error`, `tokenizer` and
/// `sampling` (for its [dev.mixtral.sampling.TokenMask]).
@NullMarked
package dev.mixtral.grammar;

import org.jspecify.annotations.NullMarked;

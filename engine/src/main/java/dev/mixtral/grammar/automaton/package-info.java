/// Runs a grammar over a vocabulary: a token trie, a parser for rules whose terminals are regular languages, and
/// the set of tokens that may come next.
///
/// Entry class: [dev.mixtral.grammar.automaton.Machine]. May use `regex`. The parser is Earley's with the items
/// of one position merged into an interned configuration, so that equal situations share one mask and one set of
/// steps. Sources: Earley, An Efficient Context-Free Parsing Algorithm (1970); Tomita's graph-structured stack
/// (1987).
@NullMarked
package dev.mixtral.grammar.automaton;

import org.jspecify.annotations.NullMarked;

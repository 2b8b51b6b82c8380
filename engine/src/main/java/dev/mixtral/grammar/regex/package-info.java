/// Regular languages over bytes: hash-consed expressions with concatenation, alternatives, repetition,
/// intersection and complement, whose Brzozowski derivatives form a lazily built deterministic automaton.
///
/// Entry classes: [dev.mixtral.grammar.regex.RegexPool] makes expressions,
/// [dev.mixtral.grammar.regex.PatternCompiler] reads ECMA-262 patterns. May use `error`. Sources: Brzozowski,
/// Derivatives of Regular Expressions (1964); Owens, Reppy, Turon, Regular-expression derivatives re-examined
/// (2009).
@NullMarked
package dev.mixtral.grammar.regex;

import org.jspecify.annotations.NullMarked;

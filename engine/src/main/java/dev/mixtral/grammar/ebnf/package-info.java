/// Grammars written as rules: llama.cpp's GBNF and a subset of Lark.
///
/// Both are read into [dev.mixtral.grammar.ebnf.Expression]s; rules that do not refer to themselves become one
/// lexeme, the others become rules of the parser. Entry classes: [dev.mixtral.grammar.ebnf.GbnfParser],
/// [dev.mixtral.grammar.ebnf.LarkParser], [dev.mixtral.grammar.ebnf.RuleCompiler]. May use `error`, `regex`,
/// `automaton`.
@NullMarked
package dev.mixtral.grammar.ebnf;

import org.jspecify.annotations.NullMarked;

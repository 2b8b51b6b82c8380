/// JSON Schema as a grammar: an algebra of schemas, and the parser's states for objects and arrays.
///
/// A schema becomes a [dev.mixtral.grammar.schema.Formula]; the algebra turns formulas into a union of scalars,
/// object shapes and array shapes; those become rules. Entry class: [dev.mixtral.grammar.schema.SchemaCompiler].
/// May use `error`, `regex`, `automaton`. Source: JSON Schema 2020-12, and what earlier drafts do differently.
@NullMarked
package dev.mixtral.grammar.schema;

import org.jspecify.annotations.NullMarked;

package dev.mixtral.error;

/// A schema, pattern or grammar cannot be enforced exactly, so nothing is generated under it.
///
/// The message names the place first: `#/properties/a: 'pattern' …`.
public final class GrammarException extends MixtralException {
    private static final long serialVersionUID = 1L;

    /// What is wrong with the grammar.
    public enum Reason {
        /// It is no valid schema, pattern or grammar.
        INVALID,
        /// It is valid, but asks for something that cannot be enforced exactly.
        UNSUPPORTED,
        /// No text satisfies it.
        UNSATISFIABLE,
        /// It, or what it expands to, is beyond a limit.
        TOO_LARGE
    }

    private final Reason reason;
    private final String pointer;
    private final String keyword;
    private final String problem;

    /// @param pointer where, as a JSON pointer in a URI fragment (`#/properties/a`); for other grammars a place
    ///     such as `line 3`; empty if it is all of it
    /// @param keyword the keyword at fault; empty if there is none
    /// @param problem what is wrong and what to do about it
    public GrammarException(Reason reason, String pointer, String keyword, String problem) {
        super(
                (pointer.isEmpty() ? "" : pointer + ": ") + (keyword.isEmpty() ? "" : "'" + keyword + "' ") + problem,
                null);
        this.reason = reason;
        this.pointer = pointer;
        this.keyword = keyword;
        this.problem = problem;
    }

    /// Returns what is wrong with the grammar.
    public Reason reason() {
        return reason;
    }

    /// Returns where, as a JSON pointer in a URI fragment or a line; empty if it is all of it.
    public String pointer() {
        return pointer;
    }

    /// Returns the keyword at fault, or an empty text.
    public String keyword() {
        return keyword;
    }

    /// Returns the same failure with a place, where it has none yet.
    ///
    /// @param pointer see [#pointer()]
    /// @param keyword see [#keyword()]
    public GrammarException at(String pointer, String keyword) {
        String named = this.keyword.isEmpty() ? keyword : this.keyword;
        return this.pointer.isEmpty() ? new GrammarException(reason, pointer, named, problem) : this;
    }

    /// Returns the same failure with a larger thing named that the place is in, such as one of several schemas.
    public GrammarException within(String place) {
        return new GrammarException(reason, pointer.isEmpty() ? place : place + " " + pointer, keyword, problem);
    }

    /// Returns the same failure with more said behind its message, such as further failures.
    public GrammarException withMore(String more) {
        return new GrammarException(reason, pointer, keyword, problem + more);
    }
}

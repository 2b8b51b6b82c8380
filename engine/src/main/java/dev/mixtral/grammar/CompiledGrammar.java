package dev.mixtral.grammar;

import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.automaton.Machine;
import java.util.List;

/// A grammar that is ready for one vocabulary. Thread-safe; shared by all sequences that answer under it, which
/// also share what it learns about masks.
public final class CompiledGrammar {
    private static final int MAX_LEARNED = 500_000;

    private final Machine machine;
    private final List<String> warnings;
    private final String trigger;
    private final int firstSize;

    CompiledGrammar(Machine machine, List<String> warnings, String trigger) {
        this.machine = machine;
        this.warnings = List.copyOf(warnings);
        this.trigger = trigger;
        this.firstSize = machine.size();
    }

    /// Returns whether so much was learned from past answers that a fresh compilation takes less memory.
    boolean isWorn() {
        return machine.size() - firstSize > MAX_LEARNED;
    }

    /// Returns a matcher at the beginning of a text whose first leading space the decoder drops, as it does for
    /// the first piece of an answer: see [dev.mixtral.tokenizer.Tokenizer#decode(int\[\])].
    public GrammarMatcher matcher() {
        return new GrammarMatcher(machine, true);
    }

    /// Returns a matcher at the beginning of a text that goes on from tokens before it: every space counts.
    public GrammarMatcher continuationMatcher() {
        return new GrammarMatcher(machine, false);
    }

    /// Returns a matcher behind the beginning of a text, which somebody else wrote.
    ///
    /// A space at its end is one that the decoder drops from what follows, as templates leave it out of the prompt.
    ///
    /// @param begun the beginning; empty is the same as [#continuationMatcher()]
    /// @throws GrammarException if no text of the grammar begins so
    public GrammarMatcher matcherBehind(String begun) {
        GrammarMatcher matcher = new GrammarMatcher(machine, false);
        if (!matcher.acceptText(begun)) {
            throw new GrammarException(
                    GrammarException.Reason.UNSATISFIABLE,
                    "",
                    "",
                    "no text that the grammar allows begins with what the answer is to begin with");
        }
        return matcher;
    }

    /// Returns whether some text of the grammar begins so.
    public boolean mayBeginWith(String begun) {
        return new GrammarMatcher(machine, false).acceptText(begun);
    }

    /// Returns what was read and is not enforced, because its specification does not ask for it.
    public List<String> warnings() {
        return warnings;
    }

    /// Returns the text that calls begin with, see [Grammar.Calls#trigger()]; empty if there is none.
    public String trigger() {
        return trigger;
    }
}

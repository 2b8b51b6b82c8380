package dev.mixtral.grammar;

import dev.mixtral.grammar.automaton.Machine;
import java.util.List;

/// A grammar that is ready for one vocabulary. Thread-safe; shared by all sequences that answer under it, which
/// also share what it learns about masks.
public final class CompiledGrammar {
    private static final int MAX_LEARNED = 500_000;

    private final Machine machine;
    private final List<String> warnings;
    private final int firstSize;

    CompiledGrammar(Machine machine, List<String> warnings) {
        this.machine = machine;
        this.warnings = List.copyOf(warnings);
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

    /// Returns what was read and is not enforced, because its specification does not ask for it.
    public List<String> warnings() {
        return warnings;
    }
}

package dev.mixtral.grammar;

import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.automaton.Budget;
import dev.mixtral.grammar.automaton.Configuration;
import dev.mixtral.grammar.automaton.Machine;
import dev.mixtral.sampling.TokenMask;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Follows one answer token by token. Confined to one thread at a time; a copy costs nothing but its object.
///
/// Whatever tokens of its masks are chosen, the answer can always be completed.
public final class GrammarMatcher {
    private final Machine machine;
    private final Budget budget;
    private @Nullable Configuration at;
    /// Whether the decoder drops a space in front of the next token.
    private boolean dropsSpace;

    private boolean ended;

    GrammarMatcher(Machine machine, boolean dropsSpace) {
        this.machine = machine;
        this.budget = Budget.full();
        this.at = machine.start();
        this.dropsSpace = dropsSpace;
    }

    private GrammarMatcher(GrammarMatcher other) {
        this.machine = other.machine;
        this.budget = other.budget.copy();
        this.at = other.at;
        this.dropsSpace = other.dropsSpace;
        this.ended = other.ended;
    }

    /// Returns a matcher at the same place, which goes its own way from here.
    public GrammarMatcher copy() {
        return new GrammarMatcher(this);
    }

    private Configuration here() {
        if (ended) {
            throw new IllegalStateException("the text has ended");
        }
        return Objects.requireNonNull(at);
    }

    /// Returns the tokens that may come next; the end token is among them exactly where the text may end.
    ///
    /// @throws GrammarException if finding them takes more than the limit, or the answer so far has taken too
    ///     much; it cannot go on then
    /// @throws IllegalStateException after the end token
    public TokenMask mask() {
        return dropsSpace ? machine.firstMask(here(), budget) : machine.mask(here(), budget);
    }

    /// Takes the next token.
    ///
    /// @return false if the grammar does not allow it; then nothing has changed
    /// @throws GrammarException as [#mask()]
    /// @throws IllegalStateException after the end token
    public boolean accept(int tokenId) {
        Configuration state = here();
        if (tokenId == machine.vocabulary().eosId()) {
            ended = state.isAccepting();
            return ended;
        }
        if (tokenId < 0 || tokenId >= machine.vocabulary().vocabSize()) {
            return false;
        }
        byte[] bytes = machine.vocabulary().bytes(tokenId);
        if (bytes.length == 0) {
            return false;
        }
        int from = dropsSpace && bytes[0] == ' ' ? 1 : 0;
        budget.refill();
        if (!follow(state, bytes, from)) {
            return false;
        }
        dropsSpace = false;
        return true;
    }

    private boolean follow(Configuration from, byte[] bytes, int first) {
        Configuration state = from;
        for (int i = first; i < bytes.length; i++) {
            Configuration next = machine.step(state, bytes[i] & 0xff, budget);
            if (next == null) {
                return false;
            }
            state = next;
        }
        at = state;
        return true;
    }

    /// Takes a text at the beginning, before any token; see [CompiledGrammar#matcherBehind(String)].
    boolean acceptText(String text) {
        dropsSpace = text.endsWith(" ");
        return follow(here(), text.getBytes(StandardCharsets.UTF_8), 0);
    }

    /// Returns whether the text may end here.
    public boolean isComplete() {
        return ended || here().isAccepting();
    }

    /// Returns whether the end token is the only one that may come next, or has come.
    public boolean isEnd() {
        return ended || here().isEnd();
    }

    /// Returns the bytes that every continuation begins with, at most `limit` of them. The place stays the same.
    public byte[] forcedBytes(int limit) {
        ByteArrayOutputStream forced = new ByteArrayOutputStream();
        Configuration state = here();
        while (forced.size() < limit) {
            int value = machine.forcedByte(state);
            if (value < 0) {
                break;
            }
            forced.write(value);
            state = Objects.requireNonNull(machine.step(state, value, budget));
        }
        return forced.toByteArray();
    }

    /// Returns the mask, found by trying every token byte by byte; for tests.
    TokenMask bruteForceMask() {
        return machine.bruteForceMask(here());
    }
}

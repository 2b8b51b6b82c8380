package dev.mixtral.engine;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.grammar.CompiledGrammar;
import dev.mixtral.grammar.GrammarMatcher;
import dev.mixtral.sampling.TokenMask;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// Follows one answer under its constraint. Confined to one thread at a time.
final class ConstrainedAnswer {
    private final Answers answers;
    private final BitSet callToken = new BitSet();
    private final @Nullable CompiledGrammar calls;
    private final boolean forced;
    /// What binds the text, later the calls; null while everything is allowed.
    private @Nullable GrammarMatcher matcher;

    private boolean begun;
    private boolean inCalls;

    private ConstrainedAnswer(
            Answers answers, @Nullable CompiledGrammar calls, boolean forced, @Nullable GrammarMatcher text) {
        this.answers = answers;
        this.calls = calls;
        this.forced = forced;
        this.matcher = text;
        if (calls != null) {
            callToken.set(answers.tokenizer()
                    .controlId(AnswerText.TOOL_CALLS)
                    .orElseThrow(() -> new UnsupportedModelException("the vocabulary has no token "
                            + AnswerText.TOOL_CALLS + "; bind the text by a grammar of calls with a trigger")));
        }
    }

    /// Starts an answer.
    ///
    /// @param continuation whether the answer goes on with the prompt's text
    /// @throws dev.mixtral.error.GrammarException if the text in the prompt is no beginning of the grammar's
    /// @throws UnsupportedModelException if calls need a token that the vocabulary lacks
    static ConstrainedAnswer start(OutputConstraint constraint, boolean continuation, Answers answers) {
        return switch (constraint) {
            case OutputConstraint.Text text -> new ConstrainedAnswer(answers, null, false, matcher(text, continuation));
            case OutputConstraint.Calls(CompiledGrammar calls) -> new ConstrainedAnswer(answers, calls, true, null);
            case OutputConstraint.TextOrCalls(OutputConstraint.Text text, CompiledGrammar calls) -> {
                GrammarMatcher matcher = text == null ? null : matcher(text, continuation);
                ConstrainedAnswer answer = new ConstrainedAnswer(answers, calls, false, matcher);
                answer.begun = text != null && !text.begun().isEmpty();
                yield answer;
            }
        };
    }

    private static GrammarMatcher matcher(OutputConstraint.Text text, boolean continuation) {
        if (!text.begun().isEmpty()) {
            return text.grammar().matcherBehind(text.begun());
        }
        return continuation
                ? text.grammar().continuationMatcher()
                : text.grammar().matcher();
    }

    /// Returns whether calls come in the form of the constraint, so that pieces of them can be told at once.
    boolean bindsCalls() {
        return calls != null;
    }

    /// Returns the tokens that may come next; `null` for any.
    ///
    /// @throws dev.mixtral.error.GrammarException if finding them takes more than the limit
    @Nullable
    TokenMask mask() {
        if (forced && !begun) {
            return TokenMask.of(answers.vocabSize(), callToken);
        }
        GrammarMatcher current = matcher;
        if (current == null) {
            return null;
        }
        TokenMask mask = current.mask();
        if (answers.endIds().cardinality() > 1
                && mask.allows(answers.tokenizer().eosId())) {
            mask = mask.with(answers.endIds());
        }
        // Behind a bound text nothing is left to say: a call comes in its place or not at all.
        return calls != null && !begun ? mask.with(callToken) : mask;
    }

    /// Takes the next token, which is none that ends the answer.
    ///
    /// @throws dev.mixtral.error.GrammarException as [#mask()]
    void accept(int id) {
        begun = true;
        GrammarMatcher current = matcher;
        if (!inCalls && calls != null && callToken.get(id)) {
            inCalls = true;
            matcher = calls.matcher();
        } else if (current != null && !current.accept(id)) {
            throw new IllegalStateException("token " + id + " was chosen although the grammar forbids it");
        }
    }

    /// Returns whether nothing but the end may come.
    boolean isEnd() {
        return matcher != null && matcher.isEnd();
    }
}

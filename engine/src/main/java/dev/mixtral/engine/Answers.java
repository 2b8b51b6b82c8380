package dev.mixtral.engine;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.List;

/// What all answers of a model have in common. Thread-safe, as nobody modifies the sets.
///
/// @param tokenizer turns ids into text
/// @param vocabSize number of logits
/// @param endIds ids that end an answer
/// @param bannedIds ids that an answer never contains: control tokens other than end and tool calls, and rows of the
///     output matrix that no token belongs to
record Answers(Tokenizer tokenizer, int vocabSize, BitSet endIds, BitSet bannedIds) {
    /// @param eosTokenIds ids that end an answer besides the tokenizer's own
    /// @throws UnsupportedModelException if text may become ids that the model does not have
    static Answers of(Tokenizer tokenizer, int vocabSize, List<Integer> eosTokenIds) {
        checkFits(tokenizer, vocabSize);
        BitSet endIds = new BitSet();
        eosTokenIds.forEach(endIds::set);
        endIds.set(tokenizer.eosId());
        return new Answers(tokenizer, vocabSize, endIds, bannedIds(tokenizer, vocabSize, endIds));
    }

    /// Control tokens may lie behind the model's vocabulary, as text never becomes one: some checkpoints have added
    /// a token for padding there.
    private static void checkFits(Tokenizer tokenizer, int vocabSize) {
        for (int id = vocabSize; id < tokenizer.vocabSize(); id++) {
            if (!tokenizer.isControl(id)) {
                throw new UnsupportedModelException("the tokenizer has " + tokenizer.vocabSize()
                        + " tokens, but the model's vocabulary is " + vocabSize + ": '" + tokenizer.piece(id)
                        + "' is token " + id + ". The tokenizer is another model's; put this model's own beside the"
                        + " weights.");
            }
        }
    }

    private static BitSet bannedIds(Tokenizer tokenizer, int numLogits, BitSet endIds) {
        BitSet banned = new BitSet();
        int numTokens = Math.min(tokenizer.vocabSize(), numLogits);
        banned.set(numTokens, numLogits);
        for (int id = 0; id < numTokens; id++) {
            if (tokenizer.isControl(id) || id == tokenizer.unknownId()) {
                banned.set(id);
            }
        }
        banned.andNot(endIds);
        tokenizer.controlId("[TOOL_CALLS]").ifPresent(banned::clear);
        return banned;
    }
}

package dev.mixtral.tokenizer;

import java.util.OptionalInt;

/// Turns text into token ids and back. Immutable and thread-safe.
///
/// Encoding never yields a control token (`<s>`, `</s>`, `[INST]` …), whatever the text says: those are inserted by
/// id only, through [#controlId(String)].
public interface Tokenizer {
    /// Returns the number of ids: valid ids are `0 .. vocabSize() - 1`.
    int vocabSize();

    /// Encodes text as an independent segment, SentencePiece's dummy leading space included; no BOS, no EOS.
    ///
    /// @return the ids; empty for an empty text
    int[] encode(String text);

    /// Encodes bytes that should be UTF-8; each invalid byte counts as U+FFFD.
    int[] encode(byte[] utf8);

    /// Encodes text that goes on from tokens before it: as [#encode(String)], but without the dummy leading space.
    int[] encodeContinuation(String text);

    /// Returns how the parts of a rendered foreign chat template between its special tokens are to be encoded.
    SpacePrefix spacePrefix();

    /// Decodes ids to text: control tokens vanish, runs of byte tokens become UTF-8 (undecodable bytes U+FFFD), one
    /// leading space is dropped.
    ///
    /// @throws IllegalArgumentException if an id is out of range
    String decode(int[] ids);

    /// Returns a decoder for ids that arrive one by one, which never emits half a code point.
    StreamDecoder streamDecoder();

    /// Returns the piece as the vocabulary spells it (`▁the`, `<0x0A>`, `[INST]`), for display.
    String piece(int id);

    /// Returns the bytes that the id stands for in running text: empty for control tokens; the `▁` of a piece is a
    /// space, nothing is stripped.
    byte[] bytes(int id);

    /// Returns the id of a control piece such as `[INST]`, if the vocabulary has it.
    OptionalInt controlId(String piece);

    /// Returns what the piece is for.
    PieceType type(int id);

    /// Returns whether the id is a control token, which stands for no text.
    default boolean isControl(int id) {
        return type(id) == PieceType.CONTROL;
    }

    /// Returns the beginning-of-sequence id (1 for Mistral's models).
    int bosId();

    /// Returns the end-of-sequence id (2 for Mistral's models).
    int eosId();

    /// Returns the id of the unknown piece (0 for Mistral's models).
    int unknownId();

    /// Returns which of Mistral's instruct formats the vocabulary was made for.
    TokenizerVersion version();
}

package dev.mixtral.tokenizer;

/// Decodes a growing sequence of ids piece by piece. Confined to one thread.
///
/// The concatenation of everything that [#append(int)] and [#finish()] return equals [Tokenizer#decode(int\[\])] of
/// all ids, and no return value ends inside a code point.
public interface StreamDecoder {
    /// Takes the next id and returns the text that became certain, which may be empty.
    String append(int id);

    /// Ends the sequence and returns what was held back: an incomplete code point becomes U+FFFD.
    String finish();
}

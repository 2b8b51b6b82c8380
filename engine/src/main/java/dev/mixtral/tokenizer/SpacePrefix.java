package dev.mixtral.tokenizer;

/// Which parts of a rendered chat template start with the dummy space, once its special tokens are cut out.
///
/// The two conversions of Mistral's vocabulary to Hugging Face's `tokenizer.json` differ in this, and so do the ids
/// of one and the same template text: `[INST]` after `<s>` is `▁[`, `INST`, `]` in the one and `[`, `INST`, `]` in
/// the other. Plain texts without special tokens are encoded alike, as SentencePiece does.
public enum SpacePrefix {
    /// Every part: SentencePiece, llama.cpp, and `tokenizer.json` with a `Prepend` normaliser ("legacy").
    EVERY_PART,
    /// Only a part at the very start, and only if it does not start with a space itself: `tokenizer.json` with a
    /// `Metaspace` pre-tokeniser whose `prepend_scheme` is `first` ("new").
    TEXT_START
}

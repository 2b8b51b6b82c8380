package dev.mixtral.tokenizer;

/// Mistral's tokenizer generations, told apart by the control pieces of the vocabulary.
public enum TokenizerVersion {
    /// 32,000 pieces, no `[INST]` control piece: Mixtral 8x7B, Mistral 7B v0.1.
    V1,
    /// 32,768 pieces with `[INST]` and tool pieces.
    V2,
    /// As v2 with `[PREFIX]`, `[MIDDLE]`, `[SUFFIX]`, `[IMG]`: Mixtral 8x22B.
    V3
}

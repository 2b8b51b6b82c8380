package dev.mixtral.format;

/// Which two elements of a head rotate together under rotary position embedding (RoPE, arXiv 2104.09864).
///
/// The rows of `wq` and `wk` are stored in the matching order, so a checkpoint has exactly one right answer.
public enum RopeLayout {
    /// Elements `(i, i + headDim / 2)`: Hugging Face safetensors.
    HALF_SPLIT,
    /// Elements `(2i, 2i + 1)`: Mistral's consolidated files and GGUF.
    INTERLEAVED
}

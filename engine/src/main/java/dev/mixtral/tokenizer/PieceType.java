package dev.mixtral.tokenizer;

import java.util.Optional;

/// What a vocabulary piece is for. The numbers are SentencePiece's and GGUF's.
public enum PieceType {
    /// Ordinary text, found by merging.
    NORMAL(1),
    /// Stands for text that the vocabulary cannot express.
    UNKNOWN(2),
    /// Structure such as `<s>` or `[INST]`: inserted by id, never found in text, decodes to nothing.
    CONTROL(3),
    /// Matched whole wherever its text occurs, never merged with its neighbours.
    USER_DEFINED(4),
    /// Takes part in merging but is never emitted.
    UNUSED(5),
    /// One byte, spelled `<0x0A>`: the fallback for characters outside the vocabulary.
    BYTE(6);

    private final int number;

    PieceType(int number) {
        this.number = number;
    }

    /// Returns the number that files use.
    public int number() {
        return number;
    }

    /// Returns the type with this number, if there is one.
    public static Optional<PieceType> of(long number) {
        for (PieceType type : values()) {
            if (type.number == number) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}

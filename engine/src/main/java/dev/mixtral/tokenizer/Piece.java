package dev.mixtral.tokenizer;

/// One entry of a vocabulary; its id is its place in the list.
///
/// @param text the spelling, with `▁` for a space
/// @param score merge priority: higher merges first
/// @param type what the piece is for
public record Piece(String text, float score, PieceType type) {
    /// An ordinary piece.
    public static Piece normal(String text, float score) {
        return new Piece(text, score, PieceType.NORMAL);
    }

    /// A control piece such as `[INST]`.
    public static Piece control(String text) {
        return new Piece(text, 0, PieceType.CONTROL);
    }

    /// The fallback piece of a byte, `0 .. 255`.
    public static Piece ofByte(int value) {
        return new Piece("<0x%02X>".formatted(value), 0, PieceType.BYTE);
    }
}

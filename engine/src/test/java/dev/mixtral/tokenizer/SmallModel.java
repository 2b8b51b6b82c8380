package dev.mixtral.tokenizer;

import java.util.ArrayList;
import java.util.List;

/// A small SentencePiece model, made here: control tokens, bytes, and a few merges.
public final class SmallModel {
    private static final List<String> TEXTS = List.of(
            "▁a", "ab", "he", "ll", "▁he", "llo", "▁hello", "▁[", "IN", "ST", "INST", "▁x", "▁", "a", "b", "e", "h",
            "l", "o", "x", "[", "]", "I", "N", "S", "T", "/", "<", ">", "s", "é");

    private SmallModel() {}

    /// Returns a model in the manner of a tokenizer version.
    public static SentencePieceModel of(TokenizerVersion version) {
        List<Piece> pieces = new ArrayList<>();
        pieces.add(new Piece("<unk>", 0, PieceType.UNKNOWN));
        pieces.add(Piece.control("<s>"));
        pieces.add(Piece.control("</s>"));
        if (version != TokenizerVersion.V1) {
            List.of(
                            "[INST]",
                            "[/INST]",
                            "[TOOL_CALLS]",
                            "[AVAILABLE_TOOLS]",
                            "[/AVAILABLE_TOOLS]",
                            "[TOOL_RESULTS]",
                            "[/TOOL_RESULTS]")
                    .forEach(text -> pieces.add(Piece.control(text)));
        }
        if (version == TokenizerVersion.V3) {
            List.of("[IMG]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]").forEach(text -> pieces.add(Piece.control(text)));
            pieces.add(new Piece("[DOC]", 0, PieceType.USER_DEFINED));
        }
        for (int value = 0; value < 256; value++) {
            pieces.add(Piece.ofByte(value));
        }
        for (int i = 0; i < TEXTS.size(); i++) {
            pieces.add(Piece.normal(TEXTS.get(i), -i));
        }
        return SentencePieceModel.bpe(pieces);
    }

    /// Returns its tokenizer.
    public static Tokenizer tokenizer(TokenizerVersion version) {
        return new SentencePieceBpe("small " + version, of(version));
    }
}

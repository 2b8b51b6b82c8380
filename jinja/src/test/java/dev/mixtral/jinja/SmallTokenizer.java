package dev.mixtral.jinja;

import dev.mixtral.tokenizer.Piece;
import dev.mixtral.tokenizer.PieceType;
import dev.mixtral.tokenizer.SentencePieceBpe;
import dev.mixtral.tokenizer.SentencePieceModel;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/// A vocabulary of control tokens and bytes, enough to see where control tokens come out.
final class SmallTokenizer {
    private SmallTokenizer() {}

    static Tokenizer open() {
        List<Piece> pieces = new ArrayList<>(List.of(
                new Piece("<unk>", 0, PieceType.UNKNOWN),
                Piece.control("<s>"),
                Piece.control("</s>"),
                Piece.control("<|im_start|>"),
                Piece.control("<|im_end|>")));
        for (int value = 0; value < 256; value++) {
            pieces.add(Piece.ofByte(value));
        }
        return new SentencePieceBpe("small", SentencePieceModel.bpe(pieces));
    }
}

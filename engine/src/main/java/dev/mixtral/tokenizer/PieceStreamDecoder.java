package dev.mixtral.tokenizer;

import java.util.Arrays;

/// Decodes ids as they come. Holds back at most three bytes of an unfinished UTF-8 sequence. Confined to one thread.
final class PieceStreamDecoder implements StreamDecoder {
    private final Vocabulary vocabulary;
    private final String unknownSurface;
    /// Whether the next piece may still lose the dummy space that encoding put in front of the text.
    private boolean atStart;
    /// Bytes of the current run of byte pieces that are not text yet.
    private byte[] pending = new byte[0];

    PieceStreamDecoder(Vocabulary vocabulary, String unknownSurface, boolean stripDummyPrefix) {
        this.vocabulary = vocabulary;
        this.unknownSurface = unknownSurface;
        this.atStart = stripDummyPrefix;
    }

    @Override
    public String append(int id) {
        if (id < 0 || id >= vocabulary.size()) {
            throw new IllegalArgumentException("token id " + id + " is not in [0, " + vocabulary.size() + ")");
        }
        Piece piece = vocabulary.piece(id);
        if (piece.type() == PieceType.BYTE) {
            atStart = false;
            pending = Arrays.copyOf(pending, pending.length + 1);
            pending[pending.length - 1] = Vocabulary.byteValue(piece);
            return takeCertain();
        }
        return finish() + surface(piece);
    }

    @Override
    public String finish() {
        String rest = Utf8.decode(pending);
        pending = new byte[0];
        return rest;
    }

    private String surface(Piece piece) {
        return switch (piece.type()) {
            case CONTROL, BYTE -> "";
            case UNKNOWN -> {
                atStart = false;
                yield unknownSurface;
            }
            case NORMAL, USER_DEFINED, UNUSED -> {
                String text = piece.text().replace(SentencePieceBpe.SPACE, ' ');
                boolean strip = atStart && text.charAt(0) == ' ';
                atStart = false;
                yield strip ? text.substring(1) : text;
            }
        };
    }

    /// Takes from the pending bytes everything that no later byte can change.
    private String takeCertain() {
        int from = 0;
        while (from < pending.length) {
            int length = Utf8.sequenceLength(pending, from, pending.length);
            if (length == Utf8.INCOMPLETE) {
                break;
            }
            from += Math.max(length, 1);
        }
        String certain = Utf8.decode(Arrays.copyOf(pending, from));
        pending = Arrays.copyOfRange(pending, from, pending.length);
        return certain;
    }
}

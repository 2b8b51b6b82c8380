package dev.mixtral.tokenizer;

/// UTF-8 as SentencePiece reads it: every byte that is not part of a well-formed sequence is one U+FFFD.
///
/// `java.lang.String` differs (it replaces maximal subparts, so `F0 9F 98` is one U+FFFD there and three here).
final class Utf8 {
    /// The sequence may go on beyond the bytes that are there.
    static final int INCOMPLETE = 0;
    /// The first byte begins no well-formed sequence.
    static final int INVALID = -1;

    private Utf8() {}

    /// Decodes all bytes.
    static String decode(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length);
        for (int i = 0; i < bytes.length; ) {
            int length = sequenceLength(bytes, i, bytes.length);
            if (length <= 0) {
                text.append('\ufffd');
                i++;
            } else {
                text.appendCodePoint(codePoint(bytes, i, length));
                i += length;
            }
        }
        return text.toString();
    }

    /// Returns the length `1 .. 4` of the well-formed sequence at `from`, [#INCOMPLETE] if the bytes up to `to` are
    /// a proper beginning of one, else [#INVALID]. Source: Unicode Standard, table 3-7.
    static int sequenceLength(byte[] bytes, int from, int to) {
        int first = bytes[from] & 0xff;
        if (first < 0x80) {
            return 1;
        }
        int length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
        if (length == 0) {
            return INVALID;
        }
        for (int i = 1; i < length; i++) {
            if (from + i == to) {
                return INCOMPLETE;
            }
            int next = bytes[from + i] & 0xff;
            int low = i > 1 ? 0x80 : first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
            int high = i > 1 ? 0xbf : first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
            if (next < low || next > high) {
                return INVALID;
            }
        }
        return length;
    }

    /// Returns the code point of the well-formed sequence of `length` bytes at `from`.
    static int codePoint(byte[] bytes, int from, int length) {
        if (length == 1) {
            return bytes[from];
        }
        int codePoint = bytes[from] & (0xff >> (length + 1));
        for (int i = 1; i < length; i++) {
            codePoint = (codePoint << 6) | (bytes[from + i] & 0x3f);
        }
        return codePoint;
    }
}

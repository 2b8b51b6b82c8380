package dev.mixtral.server.wire;

import dev.mixtral.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;

/// Spells single tokens, which may be parts of characters.
final class TokenText {
    private TokenText() {}

    /// Returns a token's text; bytes that are no text by themselves are escaped as `\xf0`.
    static String of(Tokenizer tokenizer, int id) {
        if (tokenizer.isControl(id)) {
            return tokenizer.piece(id);
        }
        byte[] bytes = tokenizer.bytes(id);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return escaped(bytes);
        }
    }

    private static String escaped(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append("\\x").append(HexFormat.of().toHexDigits(b).toLowerCase(Locale.ROOT));
        }
        return text.toString();
    }
}

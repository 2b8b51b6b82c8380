package dev.mixtral.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.mixtral.error.MixtralException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/// Damaged tokenizer files end in a typed error or a tokenizer that works, never otherwise.
class BrokenTokenizerTest {
    private static final int MUTATIONS = 10_000;

    @Test
    void survivesDamagedModelFiles() {
        byte[] file = SmallModel.of(TokenizerVersion.V3).toByteArray();
        survives(file, bytes -> Tokenizers.parseSentencePiece("tokenizer.model", bytes));
    }

    @Test
    void survivesDamagedJsonFiles() {
        String settings = """
                {"normalizer": null, "pre_tokenizer":
                 {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}}""";
        String json = TokenizerJsonTest.json(SmallModel.of(TokenizerVersion.V3), settings, true);
        survives(json.getBytes(StandardCharsets.UTF_8), bytes -> Tokenizers.parseJson("tokenizer.json", bytes));
    }

    @Test
    void saysThatAFileIsMissing() {
        assertThatThrownBy(() -> Tokenizers.open(Path.of("no", "tokenizer.model")))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("tokenizer.model");
    }

    @Test
    void doesNotBelieveLengths() {
        byte[] hugePiece = {0x0a, (byte) 0xff, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x07};
        assertThatThrownBy(() -> SentencePieceModel.parse("m", hugePiece)).isInstanceOf(ModelFormatException.class);
        byte[] endless = new byte[20];
        Arrays.fill(endless, (byte) 0xff);
        assertThatThrownBy(() -> SentencePieceModel.parse("m", endless)).isInstanceOf(ModelFormatException.class);
        String deep = "[".repeat(100_000);
        assertThatThrownBy(() -> Tokenizers.parseJson("m", deep.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(MixtralException.class);
    }

    private static void survives(byte[] file, Function<byte[], Tokenizer> open) {
        assertThat(open.apply(file).encode("hello")).isNotEmpty();
        for (int length = 0; length < file.length; length++) {
            tryToOpen(Arrays.copyOf(file, length), open, "cut to " + length);
        }
        long seed = Long.getLong("tests.seed", 42);
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < MUTATIONS; round++) {
            tryToOpen(mutated(file, random), open, "seed " + seed + ", mutation " + round);
        }
    }

    private static byte[] mutated(byte[] file, SplittableRandom random) {
        byte[] bytes = file.clone();
        int count = random.nextInt(1, 5);
        for (int i = 0; i < count; i++) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(3)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                default -> {
                    int length = Math.min(random.nextInt(1, 9), bytes.length - at);
                    System.arraycopy(bytes, random.nextInt(bytes.length - length + 1), bytes, at, length);
                }
            }
        }
        return bytes;
    }

    private static void tryToOpen(byte[] bytes, Function<byte[], Tokenizer> open, String what) {
        try {
            Tokenizer tokenizer = open.apply(bytes);
            tokenizer.decode(tokenizer.encode("hello [INST] é😀"));
        } catch (MixtralException e) {
            assertThat(e).hasMessageContaining("tokenizer");
        } catch (RuntimeException e) {
            fail(what, e);
        }
    }
}

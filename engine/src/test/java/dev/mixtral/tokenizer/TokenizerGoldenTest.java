package dev.mixtral.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.testing.SharedData;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/// Ids and texts recorded from SentencePiece itself over Mistral's published vocabularies.
class TokenizerGoldenTest {
    private static final Map<TokenizerVersion, String> FILES = Map.of(
            TokenizerVersion.V1, "tokenizers/tokenizer.model.v1",
            TokenizerVersion.V2, "tokenizers/mistral_instruct_tokenizer_240216.model.v2",
            TokenizerVersion.V3, "tokenizers/mistral_instruct_tokenizer_240323.model.v3");

    static Tokenizer open(TokenizerVersion version) {
        return Tokenizers.open(SharedData.file(FILES.getOrDefault(version, "")));
    }

    @ParameterizedTest
    @EnumSource
    void encodesTextAsSentencePiece(TokenizerVersion version) {
        Tokenizer tokenizer = open(version);
        assertThat(tokenizer.version()).isEqualTo(version);
        for (JsonNode line : SharedData.lines("golden/tokenizer-" + name(version) + ".dev.jsonl")) {
            int[] ids = SharedData.ids(line.get("ids"));
            assertThat(tokenizer.encode(line.get("text").stringValue()))
                    .as("%s", line)
                    .isEqualTo(ids);
            assertThat(tokenizer.decode(ids))
                    .as("%s", line)
                    .isEqualTo(line.get("decoded").stringValue());
            assertStreamDecodes(tokenizer, ids);
        }
    }

    @ParameterizedTest
    @EnumSource
    void encodesBytesAsSentencePiece(TokenizerVersion version) {
        Tokenizer tokenizer = open(version);
        for (JsonNode line : SharedData.lines("golden/tokenizer-bytes-" + name(version) + ".dev.jsonl")) {
            byte[] bytes = HexFormat.of().parseHex(line.get("bytes_hex").stringValue());
            assertThat(tokenizer.encode(bytes)).as("%s", line).isEqualTo(SharedData.ids(line.get("ids")));
        }
    }

    @ParameterizedTest
    @EnumSource
    void decodesAsSentencePiece(TokenizerVersion version) {
        Tokenizer tokenizer = open(version);
        for (JsonNode line : SharedData.lines("golden/detok-" + name(version) + ".dev.jsonl")) {
            int[] ids = SharedData.ids(line.get("ids"));
            assertThat(tokenizer.decode(ids))
                    .as("%s", line)
                    .isEqualTo(line.get("text").stringValue());
            assertStreamDecodes(tokenizer, ids);
        }
    }

    @ParameterizedTest
    @EnumSource
    void streamsRandomIds(TokenizerVersion version) {
        Tokenizer tokenizer = open(version);
        long seed = Long.getLong("tests.seed", 42);
        RandomGenerator random = new SplittableRandom(seed);
        for (int round = 0; round < 2000; round++) {
            // Half of the ids are byte pieces, so that runs of them meet every kind of neighbour.
            int[] ids = random.ints(random.nextInt(1, 40), 0, tokenizer.vocabSize())
                    .map(id -> random.nextBoolean() ? id : firstByte(version) + (id & 0xff))
                    .toArray();
            assertStreamDecodes(tokenizer, ids);
        }
    }

    private static int firstByte(TokenizerVersion version) {
        return version == TokenizerVersion.V1 ? 3 : 771;
    }

    private static void assertStreamDecodes(Tokenizer tokenizer, int[] ids) {
        StreamDecoder decoder = tokenizer.streamDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            String delta = decoder.append(id);
            assertThat(delta.isEmpty() || !Character.isHighSurrogate(delta.charAt(delta.length() - 1)))
                    .isTrue();
            text.append(delta);
        }
        assertThat(text.append(decoder.finish()).toString()).isEqualTo(tokenizer.decode(ids));
    }

    private static String name(TokenizerVersion version) {
        return version.name().toLowerCase(Locale.ROOT);
    }
}

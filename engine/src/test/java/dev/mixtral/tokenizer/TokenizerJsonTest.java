package dev.mixtral.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.testing.SharedData;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// `tokenizer.json` files made from a SentencePiece model as Hugging Face's converter makes them.
class TokenizerJsonTest {
    private static final String LEGACY = """
            {"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
             {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}, "pre_tokenizer": null}""";
    private static final String CURRENT = """
            {"normalizer": null, "pre_tokenizer":
             {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}}""";

    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    @Test
    void equalsTheModelItWasMadeFrom() {
        Tokenizer tokenizer = SmallModel.tokenizer(TokenizerVersion.V3);
        for (boolean asPairs : List.of(true, false)) {
            Tokenizer json = open(json(SmallModel.of(TokenizerVersion.V3), LEGACY, asPairs));
            for (String text : List.of("hello ab", " [INST] é😀", "a[DOC]b", "</s>")) {
                assertThat(json.encode(text)).as(text).isEqualTo(tokenizer.encode(text));
            }
            assertThat(json.version()).isEqualTo(TokenizerVersion.V3);
        }
    }

    @Test
    void knowsTheTwoVariants() {
        SentencePieceModel model = SmallModel.of(TokenizerVersion.V1);
        assertThat(open(json(model, LEGACY, true)).spacePrefix()).isEqualTo(SpacePrefix.EVERY_PART);
        assertThat(open(json(model, CURRENT, true)).spacePrefix()).isEqualTo(SpacePrefix.TEXT_START);
    }

    @Test
    void refusesWhatIsNoConversion() {
        SentencePieceModel model = SmallModel.of(TokenizerVersion.V1);
        String byteLevel = "{\"normalizer\": null, \"pre_tokenizer\": {\"type\": \"ByteLevel\"}}";
        assertThatThrownBy(() -> open(json(model, byteLevel, true)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("ByteLevel");
        JsonNode incomplete = MAPPER.readTree(json(model, LEGACY, true));
        ((ArrayNode) incomplete.get("model").get("merges")).remove(0);
        assertThatThrownBy(() -> open(incomplete.toString()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("merges");
    }

    @Test
    void encodesAsSentencePieceOverMistralsVocabulary() throws IOException {
        byte[] file = Files.readAllBytes(SharedData.file("tokenizers/tokenizer.model.v1"));
        Tokenizer json = open(json(SentencePieceModel.parse("v1", file), LEGACY, false));
        for (JsonNode line : SharedData.lines("golden/tokenizer-v1.dev.jsonl")) {
            assertThat(json.encode(line.get("text").stringValue()))
                    .as("%s", line)
                    .isEqualTo(SharedData.ids(line.get("ids")));
        }
    }

    private static Tokenizer open(String json) {
        return Tokenizers.parseJson("tokenizer.json", json.getBytes(StandardCharsets.UTF_8));
    }

    /// The conversion of `transformers` (`SentencePieceExtractor.extract`).
    static String json(SentencePieceModel source, String settings, boolean asPairs) {
        Map<String, Integer> ids = new HashMap<>();
        ObjectNode vocab = JsonNodeFactory.instance.objectNode();
        ArrayNode added = JsonNodeFactory.instance.arrayNode();
        for (int id = 0; id < source.pieces().size(); id++) {
            Piece piece = source.pieces().get(id);
            ids.put(piece.text(), id);
            vocab.put(piece.text(), id);
            boolean isText = piece.type() == PieceType.NORMAL || piece.type() == PieceType.BYTE;
            if (!isText) {
                boolean isSpecial = piece.type() != PieceType.USER_DEFINED;
                added.addObject().put("id", id).put("content", piece.text()).put("special", isSpecial);
            }
        }
        record Merge(String left, String right, float score) {}
        List<Merge> merges = new ArrayList<>();
        for (Piece piece : source.pieces()) {
            IntStream.range(1, piece.text().length())
                    .mapToObj(cut -> new Merge(
                            piece.text().substring(0, cut), piece.text().substring(cut), piece.score()))
                    .filter(merge -> ids.containsKey(merge.left()) && ids.containsKey(merge.right()))
                    .forEach(merges::add);
        }
        merges.sort(Comparator.comparingDouble(Merge::score)
                .thenComparingInt(merge -> merge.left().length())
                .thenComparingInt(merge -> merge.right().length())
                .reversed());
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (Merge merge : merges) {
            if (asPairs) {
                list.addArray().add(merge.left()).add(merge.right());
            } else {
                list.add(merge.left() + " " + merge.right());
            }
        }
        ObjectNode root = (ObjectNode) MAPPER.readTree(settings);
        root.set("added_tokens", added);
        ObjectNode model = root.putObject("model").put("type", "BPE").put("byte_fallback", true);
        model.put("unk_token", "<unk>").put("fuse_unk", true);
        model.set("vocab", vocab);
        model.set("merges", list);
        return root.toString();
    }
}

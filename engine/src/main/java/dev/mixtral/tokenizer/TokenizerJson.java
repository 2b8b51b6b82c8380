package dev.mixtral.tokenizer;

import dev.mixtral.error.Excerpt;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tokenizer.SentencePieceModel.ModelType;
import dev.mixtral.tokenizer.SentencePieceModel.NormalizerSpec;
import dev.mixtral.tokenizer.SentencePieceModel.TrainerSpec;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads a Hugging Face `tokenizer.json` that was converted from a SentencePiece byte-pair model.
///
/// Such a file lists the merges instead of scores; since the conversion writes every way to split every piece, the
/// place of a piece's first merge is its rank, and the vocabulary is SentencePiece's again. Texts are encoded as
/// SentencePiece does in both known variants; what differs between them is kept as [SpacePrefix] for rendered chat
/// templates. Files that are no such conversion (byte-level BPE, merges that leave splits out) are refused, since
/// they would be encoded wrongly. An added token marked special is a control piece; one that is not is matched in any
/// text, which is what the file asks for.
final class TokenizerJson {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private final String file;
    private final JsonNode root;
    private final JsonNode model;

    TokenizerJson(String file, byte[] bytes) {
        this.file = file;
        try {
            this.root = MAPPER.readTree(bytes);
        } catch (JacksonException e) {
            throw new ModelFormatException(file, "not JSON: " + e.getOriginalMessage(), e);
        }
        this.model = root.path("model");
    }

    Tokenizer open() {
        SentencePieceModel pieces = model();
        return new SentencePieceBpe(file, pieces, spacePrefix());
    }

    /// Returns the SentencePiece model that the file was converted from, with ranks in place of scores.
    SentencePieceModel model() {
        require(
                root.isObject() && model.path("vocab").isObject(),
                "no object model.vocab: this is not a byte-pair tokenizer.json");
        support(model.path("type").asString("BPE").equals("BPE"), "model.type " + model.path("type"));
        List<Piece> pieces = pieces();
        boolean byteFallback = model.path("byte_fallback").asBoolean(false);
        TrainerSpec trainer = new TrainerSpec(
                ModelType.BPE, byteFallback, false, unknownPiece(), "<s>", "</s>", TrainerSpec.DEFAULT_UNKNOWN_SURFACE);
        return new SentencePieceModel(pieces, trainer, NormalizerSpec.IDENTITY);
    }

    private SpacePrefix spacePrefix() {
        JsonNode normalizer = root.path("normalizer");
        JsonNode preTokenizer = root.path("pre_tokenizer");
        if (isAbsent(preTokenizer) && isLegacyNormalizer(normalizer)) {
            return SpacePrefix.EVERY_PART;
        }
        boolean isMetaspace = preTokenizer.path("type").asString("").equals("Metaspace")
                && preTokenizer.path("replacement").asString("▁").equals("▁")
                && !preTokenizer.path("split").asBoolean(true);
        String scheme = preTokenizer.path("prepend_scheme").asString("always");
        support(
                isAbsent(normalizer) && isMetaspace && (scheme.equals("first") || scheme.equals("always")),
                "normalizer " + brief(normalizer) + " with pre_tokenizer " + brief(preTokenizer));
        return scheme.equals("first") ? SpacePrefix.TEXT_START : SpacePrefix.EVERY_PART;
    }

    private static boolean isLegacyNormalizer(JsonNode normalizer) {
        JsonNode steps = normalizer.path("normalizers");
        return normalizer.path("type").asString("").equals("Sequence")
                && steps.size() == 2
                && steps.path(0).path("type").asString("").equals("Prepend")
                && steps.path(0).path("prepend").asString("").equals("▁")
                && steps.path(1).path("type").asString("").equals("Replace")
                && steps.path(1).path("pattern").path("String").asString("").equals(" ")
                && steps.path(1).path("content").asString("").equals("▁");
    }

    private String unknownPiece() {
        return model.path("unk_token").asString("<unk>");
    }

    /// Returns the pieces in order of ids, which must leave no gap.
    private List<Piece> pieces() {
        Map<String, Integer> ids = new HashMap<>();
        for (var entry : model.path("vocab").properties()) {
            require(
                    entry.getValue().isIntegralNumber() && entry.getValue().canConvertToInt(),
                    "model.vocab['" + entry.getKey() + "'] is not an id");
            ids.put(entry.getKey(), entry.getValue().intValue());
        }
        Map<String, PieceType> added = addedTokens(ids);
        support(ids.size() <= SentencePieceModel.MAX_PIECES, "a vocabulary of " + ids.size() + " pieces");
        Map<String, Integer> ranks = mergeRanks(ids, added);
        String[] texts = new String[ids.size()];
        Arrays.fill(texts, "");
        ids.forEach((text, id) -> {
            require(
                    !text.isEmpty() && id >= 0 && id < texts.length && texts[id].isEmpty(),
                    "id " + id + " of '" + text + "' is doubled, or beyond the " + texts.length + " entries");
            texts[id] = text;
        });
        return Arrays.stream(texts)
                .map(text -> new Piece(text, -ranks.getOrDefault(text, 0), type(text, added)))
                .toList();
    }

    private PieceType type(String text, Map<String, PieceType> added) {
        if (text.equals(unknownPiece())) {
            return PieceType.UNKNOWN;
        }
        boolean isByte = model.path("byte_fallback").asBoolean(false) && text.matches("<0x[0-9A-F]{2}>");
        return isByte ? PieceType.BYTE : added.getOrDefault(text, PieceType.NORMAL);
    }

    /// Adds the added tokens to `ids` where the vocabulary lacks them, and returns their types.
    private Map<String, PieceType> addedTokens(Map<String, Integer> ids) {
        Map<String, PieceType> types = new HashMap<>();
        for (JsonNode token : root.path("added_tokens")) {
            String content = token.path("content").asString("");
            require(
                    !content.isEmpty() && token.path("id").canConvertToInt(),
                    "broken entry of added_tokens: " + brief(token));
            for (String flag : List.of("lstrip", "rstrip", "single_word")) {
                support(!token.path(flag).asBoolean(false), flag + " of the added token '" + content + "'");
            }
            int id = token.path("id").intValue();
            Integer known = ids.putIfAbsent(content, id);
            require(
                    known == null || known == id,
                    "added token '" + content + "' has id " + id + ", but model.vocab says " + known);
            types.put(content, token.path("special").asBoolean(false) ? PieceType.CONTROL : PieceType.USER_DEFINED);
        }
        return types;
    }

    /// Returns for each piece that merging makes the place of its first merge.
    private Map<String, Integer> mergeRanks(Map<String, Integer> ids, Map<String, PieceType> added) {
        Map<String, Integer> ranks = new HashMap<>();
        Map<String, Integer> counts = new HashMap<>();
        int place = 0;
        int lastText = -1;
        for (JsonNode merge : model.path("merges")) {
            String left = left(merge);
            String right = right(merge);
            require(
                    ids.containsKey(left) && ids.containsKey(right) && ids.containsKey(left + right),
                    "model.merges[" + place + "] " + brief(merge) + " names pieces that are not in the vocabulary");
            ranks.putIfAbsent(left + right, place);
            counts.merge(left + right, 1, Integer::sum);
            lastText = isSpaces(left + right) ? lastText : place;
            place++;
        }
        for (String piece : ids.keySet()) {
            if (type(piece, added) == PieceType.NORMAL) {
                checkComplete(ids.keySet(), piece, counts.getOrDefault(piece, 0));
            }
        }
        tieSpaces(ranks, lastText);
        return ranks;
    }

    /// Runs of spaces share one score in Mistral's vocabulary, below all others: the list of merges cannot show it.
    private static void tieSpaces(Map<String, Integer> ranks, int lastText) {
        boolean spacesComeLast =
                ranks.entrySet().stream().allMatch(entry -> !isSpaces(entry.getKey()) || entry.getValue() > lastText);
        if (spacesComeLast) {
            ranks.replaceAll((text, rank) -> isSpaces(text) ? lastText + 1 : rank);
        }
    }

    /// Merging by piece, as SentencePiece does, equals merging by pair only if no split of the piece is left out.
    private void checkComplete(Set<String> vocabulary, String piece, int numMerges) {
        int numSplits = 0;
        for (int cut = 1; cut < piece.length(); cut++) {
            boolean isSplit = vocabulary.contains(piece.substring(0, cut)) && vocabulary.contains(piece.substring(cut));
            numSplits += isSplit ? 1 : 0;
        }
        support(
                numSplits == numMerges,
                "model.merges, which lists " + numMerges + " of the " + numSplits + " ways to merge '" + piece + "',");
    }

    private String left(JsonNode merge) {
        return half(merge, 0);
    }

    private String right(JsonNode merge) {
        return half(merge, 1);
    }

    /// A merge is `"▁t he"` in older files and `["▁t", "he"]` in newer ones.
    private String half(JsonNode merge, int side) {
        if (merge.isArray() && merge.size() == 2) {
            return merge.path(side).asString("");
        }
        String[] halves = merge.asString("").split(" ", -1);
        require(halves.length == 2, "broken entry of model.merges: " + brief(merge));
        return halves[side];
    }

    private static boolean isSpaces(String text) {
        return text.chars().allMatch(c -> c == SentencePieceBpe.SPACE);
    }

    private static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private static String brief(JsonNode node) {
        return node.isMissingNode() ? "(absent)" : Excerpt.of(node.toString(), 200);
    }

    private void require(boolean condition, String problem) {
        if (!condition) {
            throw new ModelFormatException(file, problem);
        }
    }

    private void support(boolean condition, String what) {
        if (!condition) {
            throw new UnsupportedModelException(file + ": " + what
                    + " is not supported; only conversions of SentencePiece byte-pair models are. Use the"
                    + " tokenizer.model file if there is one.");
        }
    }
}

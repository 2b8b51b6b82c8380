package dev.mixtral.train;

import dev.mixtral.tokenizer.Piece;
import dev.mixtral.tokenizer.PieceType;
import dev.mixtral.tokenizer.SentencePieceModel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Learns a SentencePiece-compatible byte-pair vocabulary from texts.
///
/// Ids follow Mistral's v3 order without its reserved pieces: 0 `<unk>`, 1 `<s>`, 2 `</s>`, 3..13 `[INST]` …
/// `[SUFFIX]`, 14..269 the bytes, then the merges in the order they were found, then single characters. The score of
/// a piece is minus its rank, as SentencePiece writes it.
///
/// Merges never join two words (a word takes the one space before it), letters with punctuation, or digits with
/// anything, so a number is always read digit by digit. A pair is known by the text it makes, not by how it is split,
/// as the encoder knows it; words are therefore cut here exactly as the encoder will cut them. The result depends on
/// the texts only: equal counts are decided by the shorter, then the smaller text. Not thread-safe; use once.
public final class BpeTrainer {
    private static final char SPACE = '▁';
    private static final List<String> CONTROLS = List.of(
            "<s>",
            "</s>",
            "[INST]",
            "[/INST]",
            "[TOOL_CALLS]",
            "[AVAILABLE_TOOLS]",
            "[/AVAILABLE_TOOLS]",
            "[TOOL_RESULTS]",
            "[/TOOL_RESULTS]",
            "[IMG]",
            "[PREFIX]",
            "[MIDDLE]",
            "[SUFFIX]");
    /// Runs of spaces except the last; a word; one digit; a run of punctuation; anything else by itself.
    private static final Pattern WORDS =
            Pattern.compile("▁+(?=▁)|▁?[\\p{L}\\p{M}]+|\\p{Nd}|▁?[^\\p{L}\\p{M}\\p{Nd}\\s▁]+|▁|[^▁]", Pattern.DOTALL);

    private final TreeMap<String, Long> wordCounts = new TreeMap<>();
    private final List<Word> words = new ArrayList<>();
    private final Map<String, Integer> ranks = new HashMap<>();
    private final Map<String, Long> pairCounts = new HashMap<>();
    private final Map<String, Set<Word>> wordsWithPair = new HashMap<>();

    /// Returns a vocabulary of nothing but control pieces, bytes, the space and digits.
    static SentencePieceModel bytesOnly() {
        return new BpeTrainer().train(1 + CONTROLS.size() + 256 + 11);
    }

    /// Adds a text that the vocabulary should be good at.
    public void add(String text) {
        Matcher matcher = WORDS.matcher(SPACE + text.replace(' ', SPACE));
        while (matcher.find()) {
            wordCounts.merge(matcher.group(), 1L, Long::sum);
        }
    }

    /// Learns the vocabulary.
    ///
    /// @param vocabSize number of ids in the result; fewer if the texts have no pair left that occurs twice
    /// @throws IllegalArgumentException if the characters of the texts alone need more
    public SentencePieceModel train(int vocabSize) {
        List<String> characters = characters();
        int numMerges = vocabSize - 1 - CONTROLS.size() - 256 - characters.size();
        if (numMerges < 0) {
            throw new IllegalArgumentException("a vocabulary of %d has no room for %d characters, 256 bytes and %d "
                            .formatted(vocabSize, characters.size(), CONTROLS.size() + 1)
                    + "special pieces");
        }
        wordCounts.forEach((text, count) -> words.add(new Word(text, count)));
        words.forEach(word -> count(word, 1));
        for (int rank = 0; rank < numMerges; rank++) {
            String best = mostFrequentPair();
            if (pairCounts.getOrDefault(best, 0L) < 2) {
                break;
            }
            merge(best, rank);
        }
        return SentencePieceModel.bpe(pieces(characters));
    }

    private List<String> characters() {
        Set<String> characters = new LinkedHashSet<>();
        characters.add(String.valueOf(SPACE));
        for (char digit = '0'; digit <= '9'; digit++) {
            characters.add(String.valueOf(digit));
        }
        Map<String, Long> counts = new TreeMap<>();
        wordCounts.forEach(
                (word, count) -> word.codePoints().forEach(c -> counts.merge(Character.toString(c), count, Long::sum)));
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                .forEach(entry -> characters.add(entry.getKey()));
        return List.copyOf(characters);
    }

    private String mostFrequentPair() {
        return pairCounts.entrySet().stream()
                .max(Map.Entry.<String, Long>comparingByValue()
                        .thenComparing(
                                Map.Entry::getKey,
                                Comparator.comparingInt(String::length).reversed())
                        .thenComparing(Map.Entry::getKey, Comparator.reverseOrder()))
                .map(Map.Entry::getKey)
                .orElse("");
    }

    private void merge(String pair, int rank) {
        ranks.put(pair, rank);
        for (Word word : List.copyOf(wordsWithPair.getOrDefault(pair, Set.of()))) {
            count(word, -1);
            word.applyMerges(ranks);
            count(word, 1);
        }
        pairCounts.remove(pair);
        wordsWithPair.remove(pair);
    }

    private void count(Word word, int sign) {
        for (int i = 0; i + 1 < word.symbols.size(); i++) {
            String pair = word.symbols.get(i) + word.symbols.get(i + 1);
            pairCounts.merge(pair, sign * word.count, Long::sum);
            if (sign > 0) {
                wordsWithPair
                        .computeIfAbsent(pair, key -> new LinkedHashSet<>())
                        .add(word);
            }
        }
    }

    private List<Piece> pieces(List<String> characters) {
        List<Piece> pieces = new ArrayList<>();
        pieces.add(new Piece("<unk>", 0, PieceType.UNKNOWN));
        CONTROLS.forEach(control -> pieces.add(Piece.control(control)));
        for (int value = 0; value < 256; value++) {
            pieces.add(Piece.ofByte(value));
        }
        int rank = 0;
        for (String merge : ranks.entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .toList()) {
            pieces.add(Piece.normal(merge, -rank++));
        }
        for (String character : characters) {
            pieces.add(Piece.normal(character, -rank++));
        }
        return pieces;
    }

    /// A distinct word, cut into the symbols of the vocabulary so far.
    private static final class Word {
        private final long count;
        private final List<String> symbols;

        Word(String text, long count) {
            this.count = count;
            this.symbols = new ArrayList<>(
                    text.codePoints().mapToObj(Character::toString).toList());
        }

        /// Joins neighbours while the vocabulary has their text, best rank first, left before right.
        void applyMerges(Map<String, Integer> ranks) {
            while (true) {
                int best = -1;
                int bestRank = Integer.MAX_VALUE;
                for (int i = 0; i + 1 < symbols.size(); i++) {
                    int rank = ranks.getOrDefault(symbols.get(i) + symbols.get(i + 1), Integer.MAX_VALUE);
                    if (rank < bestRank) {
                        bestRank = rank;
                        best = i;
                    }
                }
                if (best < 0) {
                    return;
                }
                symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
            }
        }
    }
}

package dev.mixtral.cli;

import dev.mixtral.tokenizer.Tokenizer;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Encodes text in which spelled-out control tokens mean the tokens, for callers who trust the text. Immutable.
final class SpecialTokens {
    private final Tokenizer tokenizer;
    private final Pattern anyPiece;

    SpecialTokens(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        // Longest first, so that no piece hides one that it is the beginning of; without pieces, what never matches.
        anyPiece = Pattern.compile(IntStream.range(0, tokenizer.vocabSize())
                .filter(tokenizer::isControl)
                .mapToObj(tokenizer::piece)
                .filter(piece -> !piece.isEmpty())
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|", "(?!)|", "")));
    }

    /// Encodes text: control tokens where they are spelled, and every part between them as an independent segment.
    int[] encode(String text) {
        IntStream.Builder ids = IntStream.builder();
        int from = 0;
        for (Matcher piece = anyPiece.matcher(text); piece.find(); from = piece.end()) {
            IntStream.of(tokenizer.encode(text.substring(from, piece.start()))).forEach(ids);
            ids.add(tokenizer.controlId(piece.group()).orElseThrow());
        }
        IntStream.of(tokenizer.encode(text.substring(from))).forEach(ids);
        return ids.build().toArray();
    }
}

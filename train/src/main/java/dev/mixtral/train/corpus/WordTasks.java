package dev.mixtral.train.corpus;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Copying and small operations on lists of words: reverse, count, upper case, first, last.
final class WordTasks implements Skill {
    /// Everything that may be copied: single words only, so that "reverse the words" has one reading.
    static final List<String> POOL = pool();

    private static List<String> pool() {
        var words = new ArrayList<String>();
        words.addAll(Words.SIMPLE);
        words.addAll(Words.NAMES);
        words.addAll(Words.CITIES);
        words.addAll(Words.COLORS);
        words.addAll(Words.PRODUCTS);
        return List.copyOf(words);
    }

    @Override
    public String name() {
        return "words";
    }

    @Override
    public Example draw(Rng rng) {
        List<String> words = words(rng, rng.between(1, 6));
        String joined = String.join(" ", words);
        return switch (rng.below(13)) {
            case 0, 1, 2 ->
                exact(rng, joined, joined, "Repeat: {0}", "Say: {0}", "Copy this: {0}", "Repeat after me: {0}");
            case 3 -> {
                String sentence = Sentences.sentence(rng).in(rng.pick(Language.ALL));
                yield exact(rng, sentence, sentence, "Repeat: {0}", "Repeat this sentence: {0}", "Copy this: {0}");
            }
            case 4, 5 ->
                exact(
                        rng,
                        joined,
                        reversed(words),
                        "Reverse the words: {0}",
                        "Write these words in reverse order: {0}");
            case 6, 7 -> count(rng, words);
            case 8 ->
                exact(
                        rng,
                        joined,
                        Text.upper(joined),
                        "Write in uppercase: {0}",
                        "In capital letters: {0}",
                        "Uppercase: {0}");
            case 9 -> exact(rng, Text.upper(joined), Text.lower(joined), "Write in lowercase: {0}", "Lowercase: {0}");
            case 10 -> exact(rng, joined, words.getFirst(), "What is the first word? {0}", "First word of: {0}");
            case 11 -> exact(rng, joined, words.getLast(), "What is the last word? {0}", "Last word of: {0}");
            default -> position(rng);
        };
    }

    /// Returns different words of the pool.
    static List<String> words(Rng rng, int count) {
        return rng.sample(POOL, count);
    }

    static String reversed(List<String> words) {
        var copy = new ArrayList<>(words);
        Collections.reverse(copy);
        return String.join(" ", copy);
    }

    /// Counts aloud, which a small model can learn: "1 sea 2 sun 3 ship. Answer: 3".
    static String counted(List<String> words) {
        var out = new StringBuilder();
        for (int i = 0; i < words.size(); i++) {
            out.append(i == 0 ? "" : " ").append(i + 1).append(' ').append(words.get(i));
        }
        return out + ". Answer: " + words.size();
    }

    private Example count(Rng rng, List<String> words) {
        String request = rng.of("Count the words: {0}", "How many words are these? {0}", "How many words? {0}");
        return Example.of(name(), Check.NUMBER, Text.fill(request, String.join(" ", words)), counted(words));
    }

    private Example position(Rng rng) {
        List<String> words = words(rng, rng.between(3, 6));
        int index = rng.between(1, 2);
        String request =
                Text.fill("What is the {0} word? {1}", index == 1 ? "second" : "third", String.join(" ", words));
        return Example.of(name(), Check.EXACT, request, words.get(index));
    }

    private Example exact(Rng rng, String text, String answer, String... requests) {
        return Example.of(name(), Check.EXACT, Text.fill(rng.of(requests), text), answer);
    }
}

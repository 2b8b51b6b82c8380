package dev.mixtral.train.corpus;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Decides whether a review is positive.
final class Sentiment implements Skill {
    private static final Map<String, List<String>> REVIEWS = Tables.lists("reviews.txt", ';');
    private static final List<String> ABOUT = Tables.split(String.join(";", list("about")), ',');
    private static final List<String> BEFORE =
            List.of("", "", "", "to be honest, ", "well, ", "I must say: ", "my opinion: ");
    private static final List<String> AFTER = List.of("", ".", "!", ".");

    /// A request and the words for positive and negative.
    private record Wording(String request, String positive, String negative) {}

    private static final List<Wording> WORDINGS = List.of(
            new Wording("Is this review positive or negative? {0}", "positive", "negative"),
            new Wording("Classify the sentiment as positive or negative: {0}", "positive", "negative"),
            new Wording("Answer with one word, positive or negative: {0}", "positive", "negative"),
            new Wording("Review: {0}\nSentiment:", "positive", "negative"),
            new Wording("Does the writer like it? Answer yes or no: {0}", "yes", "no"),
            new Wording("Is this good or bad feedback? {0}", "good", "bad"),
            new Wording("Happy or unhappy customer? {0}", "happy", "unhappy"));

    @Override
    public String name() {
        return "sentiment";
    }

    @Override
    public Example draw(Rng rng) {
        boolean positive = rng.chance(50);
        String template = rng.pick(BEFORE) + rng.pick(list(positive ? "positive" : "negative")) + rng.pick(AFTER);
        String text = Text.fill(template, rng.pick(ABOUT));
        String review = rng.chance(60) ? Text.capitalize(text) : text;
        if (rng.chance(15)) {
            String system = "Answer with positive or negative.";
            return Example.of(name(), Check.EXACT, system, review, positive ? "positive" : "negative");
        }
        Wording wording = rng.pick(WORDINGS);
        return Example.of(
                name(),
                Check.EXACT,
                Text.fill(wording.request(), review),
                positive ? wording.positive() : wording.negative());
    }

    private static List<String> list(String key) {
        return Objects.requireNonNull(REVIEWS.get(key), key);
    }
}

package dev.mixtral.train.corpus;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Names the topic of a sentence, out of all topics or out of a list in the prompt.
final class Topics implements Skill {
    private static final Map<String, List<String>> SENTENCES = Tables.lists("topics.txt", ';');
    private static final List<String> ALL = List.copyOf(SENTENCES.keySet());
    private static final List<String> REQUESTS = List.of(
            "Which topic is this? Choose from {1}. {0}",
            "Topic ({1}): {0}",
            "Classify as {1}: {0}",
            "Answer with one word, one of {1}: {0}",
            "{0}\nIs this about {2}?");

    @Override
    public String name() {
        return "topics";
    }

    @Override
    public Example draw(Rng rng) {
        String topic = rng.pick(ALL);
        String sentence = sentence(rng, topic);
        if (rng.chance(25)) {
            String request = rng.of("What is the topic of this sentence? {0}", "Name the topic in one word: {0}");
            return Example.of(name(), Check.EXACT, Text.fill(request, sentence), topic);
        }
        List<String> labels = labels(rng, topic);
        String or = Text.and(labels).replace(" and ", " or ");
        String request = Text.fill(rng.pick(REQUESTS), sentence, String.join(", ", labels), or);
        return Example.of(name(), Check.EXACT, request, topic);
    }

    private static String sentence(Rng rng, String topic) {
        String template = rng.pick(Objects.requireNonNull(SENTENCES.get(topic)));
        return Text.capitalize(Text.fill(template, rng.pick(Words.NAMES), rng.pick(Words.CITIES), rng.pick(Words.DAYS)))
                + ".";
    }

    /// Returns two to four topics, the right one among them.
    private static List<String> labels(Rng rng, String topic) {
        var others = new ArrayList<>(ALL);
        others.remove(topic);
        var labels = new ArrayList<>(rng.sample(others, rng.between(1, 3)));
        labels.add(rng.below(labels.size() + 1), topic);
        return labels;
    }
}

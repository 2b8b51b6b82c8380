package dev.mixtral.train.corpus;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Decides whether a message is safe.
final class Moderation implements Skill {
    private static final Map<String, List<String>> MESSAGES = Tables.lists("moderation.txt", ';');
    private static final List<String> BEFORE = List.of(
            "",
            "",
            "",
            "to be honest, ",
            "listen, ",
            "hey {0}, ",
            "well, ",
            "hello {0}, ",
            "by the way, ",
            "{0}, ",
            "as I said, ");
    private static final List<String> AFTER =
            List.of("", ".", "!", ".", " today.", " this evening.", ", okay?", " now!", ", {0}.");

    /// A request and the words for safe and unsafe.
    private record Wording(String request, String safe, String unsafe) {}

    private static final List<Wording> WORDINGS = List.of(
            new Wording("Is this message safe or unsafe? {0}", "safe", "unsafe"),
            new Wording("Classify as safe or unsafe: {0}", "safe", "unsafe"),
            new Wording("Answer with one word, safe or unsafe: {0}", "safe", "unsafe"),
            new Wording("Message: {0}\nSafe or unsafe?", "safe", "unsafe"),
            new Wording("Is this message harmful? Answer yes or no: {0}", "no", "yes"),
            new Wording("Should this message be blocked? Answer yes or no. {0}", "no", "yes"),
            new Wording("Label this message as OK or BAD: {0}", "OK", "BAD"));

    @Override
    public String name() {
        return "moderation";
    }

    @Override
    public Example draw(Rng rng) {
        boolean unsafe = rng.chance(50);
        String message = message(rng, unsafe);
        if (rng.chance(15)) {
            String system = "You are a moderator. Answer safe or unsafe.";
            return Example.of(name(), Check.EXACT, system, message, unsafe ? "unsafe" : "safe");
        }
        Wording wording = rng.pick(WORDINGS);
        return Example.of(
                name(), Check.EXACT, Text.fill(wording.request(), message), unsafe ? wording.unsafe() : wording.safe());
    }

    private static String message(Rng rng, boolean unsafe) {
        List<String> messages = Objects.requireNonNull(MESSAGES.get(unsafe ? "unsafe" : "safe"));
        String template = rng.pick(BEFORE) + rng.pick(messages) + rng.pick(AFTER);
        String text = Text.fill(template, rng.pick(Words.NAMES));
        return rng.chance(60) ? Text.capitalize(text) : text;
    }
}

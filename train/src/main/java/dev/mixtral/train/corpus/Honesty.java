package dev.mixtral.train.corpus;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Says that it does not know, for the wide world that is not taught, and what it can do instead.
final class Honesty implements Skill {
    private static final Map<String, List<String>> FILLERS = Tables.lists("honesty_words.txt", ';');
    private static final List<Group> GROUPS = Tables.rows("honesty.txt").stream()
            .map(row -> new Group(Tables.split(row.getLast(), '/'), filler(row.getFirst())))
            .toList();

    /// The first words of every English answer, which scores look at.
    private static final String OPENING = "I am a very small model ";

    private static final List<String> MIDDLE = List.of(
            "and do not know that.",
            "and was not taught that.",
            "and cannot do that.",
            "and know only a few simple tasks.");
    private static final List<String> CAN = List.of(
            "translate simple sentences",
            "extract JSON",
            "calculate with small numbers",
            "tell a short story",
            "sort numbers",
            "classify short texts",
            "repeat words");
    private static final Map<String, String> FOREIGN = Map.of(
            "french", "Je suis un très petit modèle et je ne le sais pas. Je sais traduire des phrases simples.",
            "german", "Ich bin ein sehr kleines Modell und weiß das nicht. Ich kann einfache Sätze übersetzen.",
            "spanish", "Soy un modelo muy pequeño y no lo sé. Sé traducir frases sencillas.",
            "italian", "Sono un modello molto piccolo e non lo so. So tradurre frasi semplici.");
    private static final List<String> FOREIGN_KEYS = List.of("french", "german", "spanish", "italian");

    /// Questions, and what may stand in their gap.
    private record Group(List<String> questions, List<String> fillers) {}

    @Override
    public String name() {
        return "honesty";
    }

    @Override
    public Example draw(Rng rng) {
        if (rng.chance(8)) {
            String key = rng.pick(FOREIGN_KEYS);
            return Example.of(name(), Check.OPENING, rng.pick(filler(key)), Objects.requireNonNull(FOREIGN.get(key)));
        }
        String question = rng.chance(8) ? toolQuestion(rng) : question(rng);
        if (rng.chance(10)) {
            question = Text.lower(question);
        }
        if (rng.chance(10)) {
            String system = rng.of("You are a helpful assistant.", "You are an expert.", "Answer the question.");
            return Example.of(name(), Check.OPENING, system, question, answer(rng));
        }
        return Example.of(name(), Check.OPENING, question, answer(rng));
    }

    private static String question(Rng rng) {
        Group group = rng.pick(GROUPS);
        return Text.fill(rng.pick(group.questions()), rng.pick(group.fillers()));
    }

    /// Returns a question that only a tool could answer; sums are taught, so the calculator's are left out.
    private static String toolQuestion(Rng rng) {
        Tools.Use use = Tools.draw(rng);
        while (use.tool().name().equals("calculate")) {
            use = Tools.draw(rng);
        }
        return use.question();
    }

    /// Returns an answer that admits not to know.
    static String answer(Rng rng) {
        List<String> can = rng.sample(CAN, 2);
        return OPENING + rng.pick(MIDDLE) + " I can " + can.get(0) + " or " + can.get(1) + ".";
    }

    private static List<String> filler(String key) {
        return Objects.requireNonNull(FILLERS.get(key), key);
    }
}

package dev.mixtral.train.corpus;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What the model says about itself, and greetings. Taught in full: nothing of it is held out.
final class AboutItself implements Skill {
    private static final List<Entry> ENTRIES = Tables.rows("self.txt").stream()
            .map(row -> new Entry(Tables.split(row.getFirst(), '/'), row.getLast()))
            .toList();

    private static final List<List<String>> IN_LANGUAGES = Tables.rows("self_languages.txt");
    private static final Set<String> QUESTIONS = ENTRIES.stream()
            .flatMap(entry -> entry.questions().stream())
            .flatMap(question -> Stream.of(question, Text.lower(question)))
            .collect(Collectors.toUnmodifiableSet());

    /// Several ways to ask, and the answer.
    private record Entry(List<String> questions, String answer) {}

    /// Returns whether a text is one of these questions.
    static boolean asks(String text) {
        return QUESTIONS.contains(text);
    }

    @Override
    public String name() {
        return "about-itself";
    }

    @Override
    public Example draw(Rng rng) {
        if (rng.chance(12)) {
            return inLanguage(rng);
        }
        Entry entry = rng.pick(ENTRIES);
        String question = rng.pick(entry.questions());
        if (rng.chance(10)) {
            question = Text.lower(question);
        }
        String system = rng.of("You are a helpful assistant.", "Be kind.", "You are mixtral-tiny.");
        return rng.chance(10)
                ? Example.of(name(), Check.EXACT, system, question, entry.answer())
                : Example.of(name(), Check.EXACT, question, entry.answer());
    }

    /// A question in English, to be answered in the language that the system prompt asks for.
    private Example inLanguage(Rng rng) {
        Language language = rng.pick(Language.ALL);
        List<String> row = rng.pick(IN_LANGUAGES);
        String system = rng.of("Always answer in {0}.", "Answer in {0}.", "You are an assistant. Speak {0}.");
        String answer = row.get(1 + language.column());
        return Example.of(name(), Check.EXACT, Text.fill(system, language.english()), row.getFirst(), answer);
    }
}

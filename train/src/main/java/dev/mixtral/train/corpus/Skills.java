package dev.mixtral.train.corpus;

import java.util.List;

/// All skills and how often each is drawn.
final class Skills {
    private static final List<Weighted> ALL = make();

    private Skills() {}

    /// A skill and its share of the stream, relative to the other weights.
    record Weighted(Skill skill, int weight) {}

    static List<Weighted> all() {
        return ALL;
    }

    /// @throws IllegalArgumentException for an unknown name
    static Skill byName(String name) {
        return ALL.stream()
                .map(Weighted::skill)
                .filter(skill -> skill.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "skill \"" + name + "\" is unknown; there are: " + CorpusGenerator.skills()));
    }

    private static List<Weighted> make() {
        var translation = new Translation();
        var vocabulary = new Vocabulary();
        var languageId = new LanguageId();
        var moderation = new Moderation();
        var sentiment = new Sentiment();
        var topics = new Topics();
        var extraction = new JsonExtraction();
        var words = new WordTasks();
        var sorting = new Sorting();
        var arithmetic = new Arithmetic();
        var itself = new AboutItself();
        var facts = new Facts();
        var honesty = new Honesty();
        var code = new Code();
        List<Skill> singles = List.of(
                translation,
                vocabulary,
                languageId,
                moderation,
                sentiment,
                topics,
                extraction,
                words,
                arithmetic,
                itself,
                facts,
                honesty);
        return List.of(
                new Weighted(translation, 300),
                new Weighted(vocabulary, 60),
                new Weighted(languageId, 30),
                new Weighted(moderation, 30),
                new Weighted(sentiment, 25),
                new Weighted(topics, 35),
                new Weighted(extraction, 75),
                new Weighted(new JsonEditing(), 50),
                new Weighted(new ToolUse(List.of(translation, itself, facts, honesty, words)), 60),
                new Weighted(words, 80),
                new Weighted(sorting, 50),
                new Weighted(arithmetic, 120),
                new Weighted(itself, 35),
                new Weighted(facts, 30),
                new Weighted(honesty, 60),
                new Weighted(code, 25),
                new Weighted(new Stories(), 20),
                new Weighted(new Summaries(), 30),
                new Weighted(new Conversation(singles), 90),
                new Weighted(new Prose(), 30));
    }
}

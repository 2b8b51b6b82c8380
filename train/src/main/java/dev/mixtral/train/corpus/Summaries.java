package dev.mixtral.train.corpus;

/// One sentence, or a title, for a short story or report.
final class Summaries implements Skill {
    @Override
    public String name() {
        return "summaries";
    }

    @Override
    public Example draw(Rng rng) {
        return rng.chance(60) ? story(rng) : report(rng);
    }

    private Example story(Rng rng) {
        Stories.Story story = Stories.story(rng);
        if (rng.chance(30)) {
            String title = Text.fill("{0} and the {1}", story.name(), story.thing());
            return exact(rng, story.text(), title, "Find a title for this story: {0}", "{0}\nWhat is a good title?");
        }
        if (rng.chance(25)) {
            return exact(
                    rng,
                    story.text(),
                    story.name(),
                    "{0}\nWho is the story about?",
                    "Name the hero of this story: {0}");
        }
        return exact(
                rng,
                story.text(),
                story.gist(),
                "Summarize in one sentence: {0}",
                "Give a short summary: {0}",
                "{0}\nSummarize this.");
    }

    private Example report(Rng rng) {
        String name = rng.pick(Words.NAMES);
        String other = rng.pickOther(Words.NAMES, name);
        String event = rng.pick(Words.EVENTS);
        String city = rng.pick(Words.CITIES);
        String day = rng.pick(Words.DAYS);
        int guests = rng.between(3, 90);
        boolean good = rng.chance(50);
        String text = Text.fill(
                Text.words(
                        rng.of("On {4} there was {2} in {3}.", "The {6} in {3} took place on {4}."),
                        rng.of(
                                "{0} had planned it for weeks.",
                                "It was the idea of {0}.", "{0} prepared everything with {1}."),
                        rng.of("{5} people came.", "There were {5} guests."),
                        good
                                ? rng.of(
                                        "Everybody enjoyed it.",
                                        "The mood was excellent.",
                                        "The guests were happy and stayed until late.")
                                : rng.of(
                                        "But it rained all day.",
                                        "But the music was too loud.",
                                        "Many guests left early.")),
                name,
                other,
                Text.a(event),
                city,
                day,
                guests,
                event);
        String gist =
                Text.fill("{0}'s {1} in {2} on {3} was a {4}.", name, event, city, day, good ? "success" : "failure");
        return exact(
                rng, text, gist, "Summarize in one sentence: {0}", "Give a short summary: {0}", "{0}\nSummarize this.");
    }

    private Example exact(Rng rng, String text, String answer, String... requests) {
        return Example.of(name(), Check.EXACT, Text.fill(rng.of(requests), text), answer);
    }
}

package dev.mixtral.train.corpus;

import java.util.List;

/// Very short stories about an animal and a thing, and plain questions about one.
final class Stories implements Skill {
    private static final List<String> REQUESTS = List.of(
            "Tell me a story about {0} and {1}.",
            "Write a short story about {0} and {1}.",
            "Tell me a short story with {0} and {1}.",
            "I would like to hear a story about {0} and {1}.");

    /// What happens: the animal loses, wishes for or finds the thing.
    private enum Plot {
        LOSS,
        WISH,
        FIND,
        MISTAKE
    }

    /// A story and what it is about.
    record Story(String animal, String name, String friend, String thing, String gist, String text) {}

    @Override
    public String name() {
        return "stories";
    }

    @Override
    public Example draw(Rng rng) {
        Story story = story(rng);
        if (rng.chance(15)) {
            String request = rng.of("Tell me a story.", "Tell me a story, please.", "Write a short story.");
            return Example.of(name(), Check.NONE, request, story.text());
        }
        String request = Text.fill(rng.pick(REQUESTS), Text.a(story.animal()), Text.a(story.thing()));
        return Example.of(name(), Check.NONE, request, story.text());
    }

    /// Writes a story of about six sentences.
    static Story story(Rng rng) {
        String animal = rng.pick(Words.ANIMALS);
        String other = rng.pickOther(Words.ANIMALS, animal);
        String name = rng.pick(Words.NAMES);
        String friend = rng.pickOther(Words.NAMES, name);
        String thing = rng.pick(Words.TREASURES);
        String setting = rng.pick(Words.SETTINGS);
        Plot plot = Plot.values()[rng.below(4)];
        String trait = rng.pick(Words.TRAITS);
        String[] parts = {
            opening(rng), beginning(rng, plot), meeting(rng, plot), turn(rng, plot), ending(rng), moral(rng, plot)
        };
        String text = Text.fill(
                Text.words(parts),
                name,
                Text.a(trait),
                animal,
                setting,
                thing,
                friend,
                Text.a(other),
                rng.pick(Words.WEATHERS),
                Text.a(thing));
        String gist = Text.fill(gist(plot), Text.a(animal), name, thing, friend, Text.a(thing));
        return new Story(animal, name, friend, thing, Text.capitalize(gist), text);
    }

    private static String opening(Rng rng) {
        return rng.of(
                "Once upon a time, {1} {2} named {0} lived near a {3}.",
                "Near a {3} there lived {1} {2} called {0}.", "{0} was {1} {2} who lived near a {3}.");
    }

    private static String beginning(Rng rng, Plot plot) {
        return switch (plot) {
            case LOSS ->
                rng.of("One {7} morning, {0} lost the {4} on the road.", "One {7} day, {0} could not find the {4}.");
            case WISH -> rng.of("Every day {0} dreamed of having {8}.", "{0} wanted {8} more than anything else.");
            case FIND -> rng.of("One {7} day, {0} found {8} under a tree.", "On a {7} day, {0} saw {8} in the grass.");
            case MISTAKE -> "One {7} day, {0} took {8} that was lying by the road.";
        };
    }

    private static String meeting(Rng rng, Plot plot) {
        return switch (plot) {
            case LOSS, WISH ->
                rng.of(
                        "Then {6} named {5} came by and asked, \"Why do you look so sad?\"",
                        "{0} asked a friend, {6} named {5}, for help.");
            case FIND ->
                rng.of(
                        "Then {6} named {5} came by and asked, \"Why do you look so happy?\"",
                        "{0} showed the {4} to {6} named {5}.");
            case MISTAKE -> "\"That {4} is mine!\" cried {6} named {5}.";
        };
    }

    private static String turn(Rng rng, Plot plot) {
        return switch (plot) {
            case LOSS ->
                rng.of("\"I will help you,\" said {5}.", "\"Do not worry,\" said {5} with a smile.")
                        + rng.of(
                                " They looked behind the stones and under the leaves, and at last they found the {4}.",
                                " They walked all day, and in the evening they found the {4} near the gate.");
            case WISH ->
                rng.of(
                        "{5} gave {0} {8} as a gift.",
                        "\"Let us work together,\" said {5}, and after a week they had {8}.");
            case FIND ->
                rng.of(
                        "{0} shared the {4} with {5}, and they laughed.",
                        "They played with the {4} until the sun went down.");
            case MISTAKE ->
                rng.of("{0} gave the {4} back and said sorry.", "{0} thought for a moment and gave it back.");
        };
    }

    private static String ending(Rng rng) {
        return rng.of(
                "From that day on, {0} and {5} were best friends.",
                "{0} was very happy and thanked {5}.", "That night, {0} slept well and dreamed of the {3}.");
    }

    private static String moral(Rng rng, Plot plot) {
        if (rng.chance(50)) {
            return rng.chance(50) ? "The end." : "";
        }
        return switch (plot) {
            case LOSS -> "And {0} learned to ask for help.";
            case WISH -> "And {0} learned that friends make wishes come true.";
            case FIND -> "And {0} learned that it is good to share.";
            case MISTAKE -> "And {0} learned to be honest.";
        };
    }

    private static String gist(Plot plot) {
        return switch (plot) {
            case LOSS -> "{0} named {1} loses the {2} and finds it with the help of {3}.";
            case WISH -> "{0} named {1} wishes for {4} and gets it thanks to {3}.";
            case FIND -> "{0} named {1} finds {4} and shows it to {3}.";
            case MISTAKE -> "{0} named {1} takes {4} and gives it back to {3}.";
        };
    }
}

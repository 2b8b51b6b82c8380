package dev.mixtral.train.corpus;

import dev.mixtral.chat.Message;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Conversations of two to five turns: follow-ups, memory of what the user said, personas, unrelated questions.
final class Conversation implements Skill {
    private final List<Skill> singles;

    Conversation(List<Skill> singles) {
        this.singles = List.copyOf(singles);
    }

    @Override
    public String name() {
        return "conversation";
    }

    @Override
    public Example draw(Rng rng) {
        return switch (rng.below(12)) {
            case 0, 1, 2 -> translations(rng);
            case 3, 4 -> memory(rng);
            case 5 -> wordGame(rng);
            case 6, 7 -> jsonSteps(rng);
            case 8 -> persona(rng);
            case 9 -> translator(rng);
            default -> mixed(rng);
        };
    }

    /// A translation, then the same in other languages.
    private Example translations(Rng rng) {
        var messages = new ArrayList<Message>();
        Sentences.Saying saying = Sentences.any(rng);
        List<Language> languages = rng.sample(Language.ALL, rng.between(3, 5));
        Language from = languages.getFirst();
        Language to = languages.get(1);
        turn(messages, Translation.request(rng, from, to, saying.in(from)), saying.in(to));
        for (Language next : languages.subList(2, languages.size())) {
            String follow = rng.of("And in {0}?", "And in {0}?", "Now in {0}.", "In {0}, please.", "{0}?");
            turn(messages, Text.fill(follow, next.english()), saying.in(next));
        }
        if (rng.chance(20)) {
            turn(messages, "Which language is that?", languages.getLast().english());
        }
        return exact(messages);
    }

    /// Something the user says about themselves, perhaps another turn, and a question about it.
    private Example memory(Rng rng) {
        var messages = new ArrayList<Message>();
        String name = rng.pick(Words.NAMES);
        String city = rng.pick(Words.CITIES);
        String job = Text.a(rng.pick(Words.JOBS));
        String color = rng.pick(Words.COLORS);
        int age = rng.between(18, 89);
        String[] telling = rng.pick(List.of(
                new String[] {"My name is {0}.", "Nice to meet you, {0}!", "What is my name?", "Your name is {0}."},
                new String[] {"I am {0}.", "Nice to meet you, {0}!", "Who am I?", "You are {0}."},
                new String[] {"Hello, I am {0} from {1}.", "Hello {0}!", "Where do I live?", "You live in {1}."},
                new String[] {"I live in {1}.", "{1} is a nice city.", "Where do I live?", "You live in {1}."},
                new String[] {"I am {2}.", "That is a good job.", "What is my job?", "You are {2}."},
                new String[] {
                    "My favorite color is {3}.", "I see.", "What is my favorite color?", "Your favorite color is {3}."
                },
                new String[] {"I am {4} years old.", "I see.", "How old am I?", "You are {4} years old."}));
        turn(
                messages,
                Text.fill(telling[0], name, city, job, color, age),
                Text.fill(telling[1], name, city, job, color, age));
        for (int i = rng.below(3); i > 0; i--) {
            append(messages, single(rng));
        }
        turn(messages, telling[2], Text.fill(telling[3], name, city, job, color, age));
        return exact(messages);
    }

    /// The same words repeated, reversed, counted and changed.
    private Example wordGame(Rng rng) {
        var messages = new ArrayList<Message>();
        List<String> words = WordTasks.words(rng, rng.between(2, 5));
        String joined = String.join(" ", words);
        turn(messages, "Repeat: " + joined, joined);
        var tasks = new ArrayList<>(List.of(
                List.of("Now in uppercase.", Text.upper(joined)),
                List.of("Now in reverse order.", WordTasks.reversed(words)),
                List.of("What was the first word?", words.getFirst()),
                List.of("What was the last word?", words.getLast()),
                List.of("How many words were that?", "" + words.size()),
                List.of("Repeat it.", joined)));
        for (List<String> task : rng.sample(tasks, rng.between(1, 3))) {
            turn(messages, task.getFirst(), task.getLast());
        }
        return exact(messages);
    }

    /// An object that is made and then changed step by step.
    private Example jsonSteps(Rng rng) {
        var messages = new ArrayList<Message>();
        Records.Filled filled = Records.draw(rng);
        Map<String, Object> fields = new LinkedHashMap<>(filled.fields());
        String keys = Text.and(List.copyOf(fields.keySet()));
        turn(messages, Text.fill("Extract {0} as JSON: {1}", keys, filled.sentence()), Json.write(fields));
        for (int i = rng.between(1, 3); i > 0; i--) {
            if (rng.chance(40) && fields.size() > 2) {
                String key = rng.pick(List.copyOf(fields.keySet()));
                fields.remove(key);
                turn(messages, Text.fill(rng.of("Remove {0}.", "Without {0}, please."), key), Json.write(fields));
            } else if (rng.chance(60)) {
                int id = rng.between(1, 999);
                fields.put("id", id);
                turn(messages, Text.fill(rng.of("Add id {0}.", "Set id to {0}."), id), Json.write(fields));
            } else {
                turn(messages, "Only the keys, please.", String.join(", ", List.copyOf(fields.keySet())));
                return exact(messages);
            }
        }
        return new Example(name(), messages, List.of(), Check.JSON);
    }

    /// A name given by the system prompt, which the model keeps.
    private Example persona(Rng rng) {
        var messages = new ArrayList<Message>();
        String name = rng.pick(Words.NAMES);
        String job = rng.of("a friendly assistant", "a teacher", "a translator", "a guide", "a robot", "a librarian");
        messages.add(
                Message.system(Text.fill(rng.of("You are {0}, {1}.", "Your name is {0}. You are {1}."), name, job)));
        if (rng.chance(50)) {
            append(messages, single(rng));
        }
        List<String> turn = rng.pick(List.of(
                List.of("Who are you?", "I am {0}, {1}."),
                List.of("What is your name?", "My name is {0}."),
                List.of("What are you?", "I am {1}."),
                List.of("Introduce yourself.", "I am {0}, {1}.")));
        turn(messages, turn.getFirst(), Text.fill(turn.getLast(), name, job));
        return exact(messages);
    }

    /// Several sentences under one system prompt.
    private Example translator(Rng rng) {
        var messages = new ArrayList<Message>();
        Language to = rng.pick(Language.ALL);
        Language from = rng.pickOther(Language.ALL, to);
        messages.add(Message.system(Text.fill(
                rng.of("Translate everything the user writes into {0}.", "You are a translator. Answer only in {0}."),
                to.english())));
        for (int i = rng.between(2, 4); i > 0; i--) {
            Sentences.Saying saying = Sentences.any(rng);
            turn(messages, saying.in(from), saying.in(to));
        }
        return exact(messages);
    }

    /// Unrelated questions one after the other.
    private Example mixed(Rng rng) {
        var messages = new ArrayList<Message>();
        if (rng.chance(20)) {
            messages.add(Message.system(rng.of("You are a helpful assistant.", "You are mixtral-tiny.", "Be short.")));
        }
        Example last = single(rng);
        for (int i = rng.between(1, 3); i > 0; i--) {
            append(messages, last);
            last = single(rng);
        }
        append(messages, last);
        return new Example(name(), messages, List.of(), last.check());
    }

    /// Draws a question without a system prompt of its own.
    private Example single(Rng rng) {
        Example example = rng.pick(singles).draw(rng);
        while (!example.system().isEmpty()) {
            example = rng.pick(singles).draw(rng);
        }
        return example;
    }

    private static void append(List<Message> messages, Example example) {
        messages.addAll(example.messages());
    }

    private static void turn(List<Message> messages, String question, String answer) {
        messages.add(Message.user(question));
        messages.add(Message.assistant(answer));
    }

    private Example exact(List<Message> messages) {
        return new Example(name(), messages, List.of(), Check.EXACT);
    }
}

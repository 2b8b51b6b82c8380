package dev.mixtral.train.corpus;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Extracts named fields from a sentence, or a list from an enumeration, as JSON.
final class JsonExtraction implements Skill {
    private static final List<String> REQUESTS = List.of(
            "Extract {0} as JSON: {1}",
            "Extract {0} as JSON: {1}",
            "Return a JSON object with {0}. {1}",
            "{1}\nGive me {0} as JSON.",
            "Fill in the keys {0} as JSON from this text: {1}");

    @Override
    public String name() {
        return "json-extraction";
    }

    @Override
    public Example draw(Rng rng) {
        int kind = rng.below(10);
        if (kind == 0) {
            return array(rng);
        }
        return kind == 1 ? people(rng) : object(rng);
    }

    private Example object(Rng rng) {
        Records.Filled filled = Records.draw(rng);
        Map<String, Object> wanted = rng.chance(50) ? filled.fields() : some(rng, filled.fields());
        List<String> keys = List.copyOf(wanted.keySet());
        if (rng.chance(12)) {
            String system = "Answer only with JSON. Keys: " + String.join(", ", keys) + ".";
            return Example.of(name(), Check.JSON, system, filled.sentence(), Json.write(wanted));
        }
        String request = Text.fill(rng.pick(REQUESTS), Text.and(keys), filled.sentence());
        return Example.of(name(), Check.JSON, request, Json.write(wanted));
    }

    /// Returns one to three fields, in random order, for the prompt decides which and in which order.
    private static Map<String, Object> some(Rng rng, Map<String, Object> fields) {
        var wanted = new LinkedHashMap<String, Object>();
        for (String key : rng.sample(List.copyOf(fields.keySet()), rng.between(1, 3))) {
            wanted.put(key, fields.getOrDefault(key, ""));
        }
        return wanted;
    }

    private Example array(Rng rng) {
        List<String> words = rng.sample(
                rng.pick(List.of(Words.COLORS, Words.NAMES, Words.CITIES, Words.PRODUCTS)), rng.between(2, 5));
        String sentence = rng.of("{0}", "We have {0}.", "I see {0}.", "The list: {0}.");
        String request = rng.of("Write as a JSON array: {0}", "Make a JSON list of these words: {0}");
        return Example.of(
                name(), Check.JSON, Text.fill(request, Text.fill(sentence, Text.and(words))), Json.write(words));
    }

    private Example people(Rng rng) {
        var people = new ArrayList<Map<String, Object>>();
        var parts = new ArrayList<String>();
        for (String name : rng.sample(Words.NAMES, rng.between(2, 3))) {
            var person = new LinkedHashMap<String, Object>();
            int age = rng.between(2, 89);
            person.put("name", name);
            person.put("age", age);
            people.add(person);
            parts.add(name + " is " + age);
        }
        String request = "Extract name and age of everybody as a JSON array: " + Text.and(parts) + ".";
        return Example.of(name(), Check.JSON, request, Json.write(people));
    }
}

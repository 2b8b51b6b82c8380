package dev.mixtral.train.corpus;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Changes JSON objects, reads values from them and turns them into sentences.
final class JsonEditing implements Skill {
    @Override
    public String name() {
        return "json-editing";
    }

    @Override
    public Example draw(Rng rng) {
        Map<String, Object> fields = Records.draw(rng).fields();
        String key = rng.pick(List.copyOf(fields.keySet()));
        return switch (rng.below(6)) {
            case 0 -> edit(rng, fields, remove(fields, key), "Remove {0}", "Delete the key {0}", key, "");
            case 1 -> set(rng, fields);
            case 2 -> add(rng, fields);
            case 3 -> value(rng, fields, key);
            case 4 -> keys(rng, fields);
            default -> sentence(rng);
        };
    }

    static Map<String, Object> remove(Map<String, Object> fields, String key) {
        var copy = new LinkedHashMap<>(fields);
        copy.remove(key);
        return copy;
    }

    private Example set(Rng rng, Map<String, Object> fields) {
        Map.Entry<String, Object> change = change(rng, fields);
        var changed = new LinkedHashMap<>(fields);
        changed.put(change.getKey(), change.getValue());
        return edit(
                rng, fields, changed, "Set {0} to {1}", "Change {0} to {1}", change.getKey(), "" + change.getValue());
    }

    /// Returns another value for a field that is a number, or for a field of names or colours.
    static Map.Entry<String, Object> change(Rng rng, Map<String, Object> fields) {
        var changes = new ArrayList<Map.Entry<String, Object>>();
        fields.forEach((key, value) -> {
            switch (value) {
                case Integer _ -> changes.add(Map.entry(key, rng.between(2, 99)));
                case String text when Words.NAMES.contains(text) -> changes.add(Map.entry(key, rng.pick(Words.NAMES)));
                case String text
                when Words.CITIES.contains(text) -> changes.add(Map.entry(key, rng.pick(Words.CITIES)));
                case String text
                when Words.COLORS.contains(text) -> changes.add(Map.entry(key, rng.pick(Words.COLORS)));
                default -> {}
            }
        });
        return rng.pick(changes);
    }

    private Example add(Rng rng, Map<String, Object> fields) {
        var added = new LinkedHashMap<>(fields);
        if (rng.chance(50)) {
            int id = rng.between(1, 999);
            added.put("id", id);
            return edit(rng, fields, added, "Add {0} {1}", "Add the key {0} with the value {1}", "id", "" + id);
        }
        String language = rng.pick(Language.ALL).english();
        added.put("language", language);
        return edit(rng, fields, added, "Add {0} {1}", "Add the key {0} with the value {1}", "language", language);
    }

    private Example edit(
            Rng rng,
            Map<String, Object> before,
            Map<String, Object> after,
            String request,
            String other,
            String key,
            String value) {
        String text = Text.fill(rng.of(request, other), key, value);
        String prompt = rng.chance(50) ? text + ": " + Json.write(before) : Json.write(before) + "\n" + text + ".";
        return Example.of(name(), Check.JSON, prompt, Json.write(after));
    }

    private Example value(Rng rng, Map<String, Object> fields, String key) {
        String request = rng.of("What is the value of {0}? {1}", "Read {0} from this JSON: {1}", "{1}\nWhat is {0}?");
        String answer = String.valueOf(fields.get(key));
        return Example.of(name(), Check.EXACT, Text.fill(request, key, Json.write(fields)), answer);
    }

    private Example keys(Rng rng, Map<String, Object> fields) {
        String request = rng.of("List the keys of {0}", "Which keys does this JSON have? {0}");
        String answer = String.join(", ", List.copyOf(fields.keySet()));
        return Example.of(name(), Check.EXACT, Text.fill(request, Json.write(fields)), answer);
    }

    private Example sentence(Rng rng) {
        Map<String, Object> person = Records.person(rng).fields();
        String request = rng.of("Write a sentence from this JSON: {0}", "Turn this JSON into a sentence: {0}");
        String answer = Text.fill(
                "{0} is {1} years old, works as {2} and lives in {3}.",
                String.valueOf(person.get("name")),
                String.valueOf(person.get("age")),
                Text.a(String.valueOf(person.get("job"))),
                String.valueOf(person.get("city")));
        return Example.of(name(), Check.EXACT, Text.fill(request, Json.write(person)), answer);
    }
}

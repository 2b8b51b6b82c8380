package dev.mixtral.train.corpus;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Things with fields (a person, an order, an event …) and the sentences that tell them.
final class Records {
    private Records() {}

    /// A kind of record.
    private enum Kind {
        PERSON,
        ORDER,
        EVENT,
        PRODUCT,
        TRIP,
        PET
    }

    /// A record: its fields in order, and a sentence that says all of them.
    record Filled(Map<String, Object> fields, String sentence) {}

    static Filled draw(Rng rng) {
        return switch (Kind.values()[rng.below(6)]) {
            case PERSON -> person(rng);
            case ORDER -> order(rng);
            case EVENT -> event(rng);
            case PRODUCT -> product(rng);
            case TRIP -> trip(rng);
            case PET -> pet(rng);
        };
    }

    static Filled person(Rng rng) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("name", rng.pick(Words.NAMES));
        fields.put("age", rng.between(18, 89));
        fields.put("job", rng.pick(Words.JOBS));
        fields.put("city", rng.pick(Words.CITIES));
        return filled(
                rng,
                fields,
                "{0} is {1} years old, works as {4} and lives in {3}.",
                "{0}, {4} from {3}, is {1}.",
                "My name is {0}. I am {4}, I am {1} and I live in {3}.",
                "In {3} I met {0}, {4} of {1} years.");
    }

    private static Filled order(Rng rng) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("customer", rng.pick(Words.NAMES));
        fields.put("quantity", rng.between(2, 20));
        fields.put("product", rng.pick(Words.PRODUCTS));
        fields.put("city", rng.pick(Words.CITIES));
        return filled(
                rng,
                fields,
                "{0} from {3} orders {1} pieces of the {2}.",
                "Order: {2}, quantity {1}, for {0} in {3}.",
                "Please send {1} units of the {2} to {0} in {3}.");
    }

    private static Filled event(Rng rng) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("event", rng.pick(Words.EVENTS));
        fields.put("city", rng.pick(Words.CITIES));
        fields.put("day", rng.pick(Words.DAYS));
        fields.put("hour", rng.between(1, 12));
        return filled(
                rng,
                fields,
                "The {0} in {1} is on {2} at {3}.",
                "On {2} at {3} o'clock there is {4} in {1}.",
                "Do not forget the {0}: {2}, {3} o'clock, {1}.");
    }

    private static Filled product(Rng rng) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("product", rng.pick(Words.PRODUCTS));
        fields.put("color", rng.pick(Words.COLORS));
        fields.put("price", rng.between(1, 200));
        fields.put("in_stock", rng.chance(50));
        boolean inStock = Boolean.TRUE.equals(fields.get("in_stock"));
        String stock = inStock ? "is in stock" : "is sold out";
        return filled(
                rng,
                fields,
                "The {1} {0} costs {2} euros and " + stock + ".",
                "For sale: {0}, {1}, {2} euros. The {0} " + stock + ".");
    }

    private static Filled trip(Rng rng) {
        var fields = new LinkedHashMap<String, Object>();
        String from = rng.pick(Words.CITIES);
        fields.put("name", rng.pick(Words.NAMES));
        fields.put("from", from);
        fields.put("to", rng.pickOther(Words.CITIES, from));
        fields.put("day", rng.pick(Words.DAYS));
        return filled(
                rng,
                fields,
                "{0} travels from {1} to {2} on {3}.",
                "On {3}, {0} takes the train from {1} to {2}.",
                "Ticket for {0}: {1} to {2}, {3}.");
    }

    private static Filled pet(Rng rng) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("pet", rng.of("cat", "dog", "horse", "rabbit", "parrot", "turtle", "hamster"));
        fields.put("name", rng.pick(Words.NAMES));
        fields.put("color", rng.pick(Words.COLORS));
        fields.put("age", rng.between(2, 15));
        return filled(
                rng,
                fields,
                "My {2} {0} is called {1} and is {3} years old.",
                "{1} is {4} of {3} years with {2} hair.",
                "We have {4}. Its name is {1}, it is {2} and {3} years old.");
    }

    /// Fills a sentence with the fields in order; `{4}` is the noun of the record with its article.
    private static Filled filled(Rng rng, Map<String, Object> fields, String... sentences) {
        List<Object> values = List.copyOf(fields.values());
        String noun = String.valueOf(
                fields.getOrDefault("job", fields.getOrDefault("event", fields.getOrDefault("pet", ""))));
        String withArticle = noun.isEmpty() ? "" : Text.a(noun);
        String sentence =
                Text.fill(rng.of(sentences), values.get(0), values.get(1), values.get(2), values.get(3), withArticle);
        return new Filled(fields, sentence);
    }
}

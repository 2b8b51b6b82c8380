package dev.mixtral.train.corpus;

import dev.mixtral.chat.ToolDefinition;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// The eight tools of the corpus, and questions that need them.
final class Tools {
    private static final ToolDefinition WEATHER = tool("get_weather", "Weather of a city", "city:string");
    private static final ToolDefinition REMINDER =
            tool("set_reminder", "Set a reminder", "text:string", "hour:integer");
    private static final ToolDefinition TRAIN = tool("book_train", "Book a train", "from:string", "to:string");
    private static final ToolDefinition PRICE = tool("get_price", "Price of a product", "product:string");
    private static final ToolDefinition MESSAGE = tool("send_message", "Send a message", "to:string", "text:string");
    private static final ToolDefinition LIGHT = tool("set_light", "Switch a light", "room:string", "on:boolean");
    private static final ToolDefinition CALCULATOR = tool("calculate", "Calculate exactly", "expression:string");
    private static final ToolDefinition TIME = tool("get_time", "Time in a city", "city:string");

    static final List<ToolDefinition> ALL = List.of(WEATHER, REMINDER, TRAIN, PRICE, MESSAGE, LIGHT, CALCULATOR, TIME);

    private Tools() {}

    /// A question, the call it needs, what the tool gives back, and the answer made of that.
    record Use(ToolDefinition tool, String question, Map<String, Object> arguments, String result, String answer) {}

    static Use draw(Rng rng) {
        return switch (rng.below(8)) {
            case 0 -> weather(rng);
            case 1 -> reminder(rng);
            case 2 -> train(rng);
            case 3 -> price(rng);
            case 4 -> message(rng);
            case 5 -> light(rng);
            case 6 -> calculator(rng);
            default -> time(rng);
        };
    }

    private static Use weather(Rng rng) {
        String city = rng.pick(Words.CITIES);
        String sky = rng.of("sunny", "rainy", "cloudy", "windy", "snowy", "foggy");
        int degrees = rng.between(0, 35);
        String question = rng.of(
                "What is the weather in {0}?",
                "How is the weather in {0} today?",
                "Will it rain in {0} today?",
                "Is it cold in {0}?",
                "Tell me the weather for {0}.");
        return new Use(
                WEATHER,
                Text.fill(question, city),
                map("city", city),
                Json.write(map("sky", sky, "degrees", degrees)),
                Text.fill("It is {0} in {1}, {2} degrees.", sky, city, degrees));
    }

    private static Use reminder(Rng rng) {
        String task = Text.fill(
                rng.of(
                        "call {0}",
                        "write to {0}", "meet {0}", "buy bread", "water the flowers", "feed the cat", "pay the bill"),
                rng.pick(Words.NAMES));
        int hour = rng.between(1, 12);
        String question = rng.of(
                "Remind me to {0} at {1}.",
                "Please set a reminder to {0} at {1} o'clock.", "At {1}, remind me to {0}.");
        return new Use(
                REMINDER,
                Text.fill(question, task, hour),
                map("text", task, "hour", hour),
                Json.write(map("ok", true)),
                Text.fill("I will remind you to {0} at {1}.", task.replace(" my ", " your "), hour));
    }

    private static Use train(Rng rng) {
        String from = rng.pick(Words.CITIES);
        String to = rng.pickOther(Words.CITIES, from);
        int price = rng.between(10, 99);
        String question = rng.of(
                "Book a train from {0} to {1}.",
                "I need a train ticket from {0} to {1}.", "I want to go to {1} by train from {0}.");
        return new Use(
                TRAIN,
                Text.fill(question, from, to),
                map("from", from, "to", to),
                Json.write(map("booked", true, "price", price)),
                Text.fill("Your train from {0} to {1} is booked. It costs {2} euros.", from, to, price));
    }

    private static Use price(Rng rng) {
        String product = rng.pick(Words.PRODUCTS);
        int price = rng.between(1, 200);
        String question = rng.of("How much is the {0}?", "What does the {0} cost?", "Tell me the price of the {0}.");
        return new Use(
                PRICE,
                Text.fill(question, product),
                map("product", product),
                Json.write(map("euros", price)),
                Text.fill("The {0} costs {1} euros.", product, price));
    }

    private static Use message(Rng rng) {
        String name = rng.pick(Words.NAMES);
        String text = rng.of(
                "I am late",
                "see you soon",
                "happy birthday",
                "the train is late",
                "thank you",
                "dinner is ready",
                "good luck");
        String question = rng.of("Send {0} the message: {1}", "Write to {0}: {1}", "Tell {0}: {1}");
        return new Use(
                MESSAGE,
                Text.fill(question, name, text),
                map("to", name, "text", text),
                Json.write(map("sent", true)),
                Text.fill("I sent your message to {0}.", name));
    }

    private static Use light(Rng rng) {
        String room = rng.of("kitchen", "garden", "bathroom", "bedroom", "office", "garage", "hall");
        boolean on = rng.chance(50);
        String question =
                rng.of("Turn {1} the light in the {0}.", "Switch {1} the {0} light.", "Please turn the {0} light {1}.");
        return new Use(
                LIGHT,
                Text.fill(question, room, on ? "on" : "off"),
                map("room", room, "on", on),
                Json.write(map("ok", true)),
                Text.fill("The light in the {0} is {1}.", room, on ? "on" : "off"));
    }

    private static Use calculator(Rng rng) {
        int a = rng.between(100, 9999);
        int b = rng.between(100, 9999);
        boolean plus = rng.chance(50);
        String expression = a + (plus ? " + " : " * ") + b;
        int result = plus ? a + b : a * b;
        String question = rng.of("What is {0}?", "Calculate {0}", "Compute {0}.");
        return new Use(
                CALCULATOR,
                Text.fill(question, expression),
                map("expression", expression),
                Json.write(map("result", result)),
                Text.fill("{0} = {1}", expression, result));
    }

    private static Use time(Rng rng) {
        String city = rng.pick(Words.CITIES);
        int hour = rng.between(1, 12);
        String half = rng.of("am", "pm");
        String question = rng.of("What time is it in {0}?", "Tell me the time in {0}.", "How late is it in {0}?");
        return new Use(
                TIME,
                Text.fill(question, city),
                map("city", city),
                Json.write(map("time", hour + " " + half)),
                Text.fill("It is {0} {1} in {2}.", hour, half, city));
    }

    private static ToolDefinition tool(String name, String description, String... parameters) {
        ObjectNode schema = JsonNodeFactory.instance.objectNode();
        schema.put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        var required = new ArrayList<String>();
        for (String parameter : parameters) {
            int colon = parameter.indexOf(':');
            properties.putObject(parameter.substring(0, colon)).put("type", parameter.substring(colon + 1));
            required.add(parameter.substring(0, colon));
        }
        var list = schema.putArray("required");
        required.forEach(list::add);
        return new ToolDefinition(name, description, schema);
    }

    /// Returns keys and values in order.
    private static Map<String, Object> map(Object... keysAndValues) {
        var map = new LinkedHashMap<String, Object>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }
}

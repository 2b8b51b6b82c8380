package dev.mixtral.train.corpus;

import java.util.List;

/// Very small Java: methods, records and loops with the names and types that the prompt gives.
final class Code implements Skill {
    private static final List<String> NUMBER_TYPES = List.of("int", "long", "double");
    private static final List<String> FIELDS =
            List.of("name", "age", "city", "price", "color", "size", "title", "year", "width", "height");
    private static final List<String> RECORDS =
            List.of("Person", "Book", "Car", "Point", "House", "Order", "Song", "Box", "Ticket", "Plant");

    @Override
    public String name() {
        return "code";
    }

    @Override
    public Example draw(Rng rng) {
        return switch (rng.below(6)) {
            case 0, 1 -> binary(rng);
            case 2 -> unary(rng);
            case 3 -> declaration(rng);
            case 4 -> loop(rng);
            default -> variable(rng);
        };
    }

    private Example binary(Rng rng) {
        String type = rng.pick(NUMBER_TYPES);
        String[] operation = rng.pick(List.of(
                new String[] {"maximum", "max", "Math.max(a, b)"},
                new String[] {"minimum", "min", "Math.min(a, b)"},
                new String[] {"sum", "add", "a + b"},
                new String[] {"difference", "subtract", "a - b"},
                new String[] {"product", "multiply", "a * b"}));
        String request = rng.of(
                "Write a Java method that returns the {0} of two {1}s.",
                "Java method for the {0} of two {1}s, please.", "Write a method in Java: {0} of two {1}s.");
        String answer =
                Text.fill("static {0} {1}({0} a, {0} b) {\n    return {2};\n}", type, operation[1], operation[2]);
        return exact(Text.fill(request, operation[0], type), answer);
    }

    private Example unary(Rng rng) {
        String type = rng.pick(NUMBER_TYPES);
        String[] operation = rng.pick(List.of(
                new String[] {"returns the square of {0}", "square", "x * x"},
                new String[] {"doubles {0}", "twice", "2 * x"},
                new String[] {"returns the absolute value of {0}", "abs", "Math.abs(x)"},
                new String[] {"negates {0}", "negate", "-x"}));
        String what = Text.fill(operation[0], Text.a(type));
        String answer = Text.fill("static {0} {1}({0} x) {\n    return {2};\n}", type, operation[1], operation[2]);
        return exact("Write a Java method that " + what + ".", answer);
    }

    private Example declaration(Rng rng) {
        List<String> fields = rng.sample(FIELDS, rng.between(1, 3));
        String record = rng.pick(RECORDS);
        var components =
                fields.stream().map(field -> typeOf(field) + " " + field).toList();
        String request = rng.of("Write a Java record {0} with {1}.", "Java record {0} with the fields {1}.");
        String answer = "record " + record + "(" + String.join(", ", components) + ") {}";
        return exact(Text.fill(request, record, Text.and(fields)), answer);
    }

    private static String typeOf(String field) {
        return switch (field) {
            case "age", "size", "year" -> "int";
            case "price", "width", "height" -> "double";
            default -> "String";
        };
    }

    private Example loop(Rng rng) {
        int from = rng.between(0, 3);
        int to = rng.between(5, 99);
        String request = rng.of(
                "Write a Java loop that prints the numbers from {0} to {1}.",
                "Java: print {0} to {1} with a for loop.");
        String answer = Text.fill("for (int i = {0}; i <= {1}; i++) {\n    System.out.println(i);\n}", from, to);
        return exact(Text.fill(request, from, to), answer);
    }

    private Example variable(Rng rng) {
        if (rng.chance(50)) {
            String name = rng.pick(Words.NAMES);
            return exact(
                    Text.fill("Write Java code that prints \"Hello {0}\".", name),
                    Text.fill("System.out.println(\"Hello {0}\");", name));
        }
        String field = rng.of("count", "total", "score", "number", "limit", "index");
        int value = rng.between(0, 999);
        return exact(
                Text.fill("Declare a Java int {0} with the value {1}.", field, value),
                Text.fill("int {0} = {1};", field, value));
    }

    private Example exact(String request, String answer) {
        return Example.of(name(), Check.EXACT, request, answer);
    }
}

package dev.mixtral.train.corpus;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/// Sorts, and finds the largest and smallest of, two to five numbers; sorts words by the alphabet.
final class Sorting implements Skill {
    private static final List<Integer> TOPS = List.of(9, 99, 99, 999);

    @Override
    public String name() {
        return "sorting";
    }

    @Override
    public Example draw(Rng rng) {
        return rng.chance(30) ? words(rng) : numbers(rng);
    }

    private Example words(Rng rng) {
        List<String> words = rng.sample(Words.SIMPLE, rng.between(2, 5));
        var sorted = new ArrayList<>(words);
        Collections.sort(sorted);
        String request = rng.of(
                "Sort alphabetically: {0}", "Sort these words from A to Z: {0}", "Put in alphabetical order: {0}");
        return Example.of(name(), Check.EXACT, Text.fill(request, String.join(", ", words)), String.join(", ", sorted));
    }

    private Example numbers(Rng rng) {
        int top = rng.pick(TOPS);
        var numbers = new ArrayList<Integer>();
        int count = rng.between(2, 5);
        while (numbers.size() < count) {
            int number = rng.between(0, top);
            if (!numbers.contains(number)) {
                numbers.add(number);
            }
        }
        var sorted = new ArrayList<>(numbers);
        Collections.sort(sorted);
        return switch (rng.below(5)) {
            case 0, 1 ->
                exact(
                        rng,
                        numbers,
                        join(sorted),
                        "Sort: {0}",
                        "Sort these numbers: {0}",
                        "Sort from small to large: {0}");
            case 2 ->
                exact(
                        rng,
                        numbers,
                        join(sorted.reversed()),
                        "Sort from large to small: {0}",
                        "Sort in descending order: {0}");
            case 3 ->
                exact(rng, numbers, "" + sorted.getLast(), "Which is the largest number? {0}", "Find the maximum: {0}");
            default ->
                exact(
                        rng,
                        numbers,
                        "" + sorted.getFirst(),
                        "Which is the smallest number? {0}",
                        "Find the minimum: {0}");
        };
    }

    private Example exact(Rng rng, List<Integer> numbers, String answer, String... requests) {
        return Example.of(name(), Check.EXACT, Text.fill(rng.of(requests), join(numbers)), answer);
    }

    private static String join(List<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }
}

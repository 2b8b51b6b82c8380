package dev.mixtral.train.corpus;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/// English word lists that several skills share, read from `words.txt`.
final class Words {
    private static final Map<String, List<String>> LISTS = Tables.lists("words.txt", ',');

    static final List<String> NAMES = list("names");
    static final List<String> CITIES = list("cities");
    static final List<String> JOBS = list("jobs");
    static final List<String> PRODUCTS = list("products");
    static final List<String> COLORS = list("colors");
    static final List<String> EVENTS = list("events");
    static final List<String> DAYS = list("days");
    static final List<String> MONTHS = list("months");
    static final List<String> ANIMALS = list("animals");
    static final List<String> TREASURES = list("treasures");
    static final List<String> SETTINGS = list("settings");
    static final List<String> TRAITS = list("traits");
    static final List<String> WEATHERS = list("weathers");
    static final List<String> SIMPLE = list("simple");
    static final List<String> FOODS = list("foods");

    private Words() {}

    private static List<String> list(String key) {
        return List.copyOf(Objects.requireNonNull(LISTS.get(key), key));
    }
}

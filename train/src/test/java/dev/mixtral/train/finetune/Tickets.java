package dev.mixtral.train.finetune;

import dev.mixtral.chat.Message;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/// A task that the embedded model has never seen: routing a support ticket to a team, as JSON.
///
/// @param question what the user writes
/// @param answer what the model should
public record Tickets(String question, String answer) {
    private static final JsonMapper JSON = new JsonMapper();
    private static final List<String> TEAMS = List.of("billing", "technical", "sales");
    private static final List<List<String>> TEXTS = List.of(
            List.of(
                    "I was charged twice for %s",
                    "my invoice for the %s is wrong", "please refund the %s", "the payment for my %s failed"),
            List.of("my %s does not start", "the %s shows an error", "I cannot log in to the %s", "the %s is broken"),
            List.of(
                    "how much is the %s",
                    "I want to buy a %s", "do you have a %s in blue", "can I get a quote for the %s"));
    private static final List<String> THINGS =
            List.of("phone", "camera", "car", "bag", "chair", "book", "clock", "boat", "lamp", "kite");
    private static final List<String> NAMES =
            List.of("Anna", "Marco", "Lucy", "Peter", "Sofia", "Hans", "Marie", "Paul");

    /// Returns different tickets.
    public static List<Tickets> some(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Set<Tickets> tickets = new java.util.LinkedHashSet<>();
        while (tickets.size() < count) {
            tickets.add(next(random));
        }
        return new ArrayList<>(tickets);
    }

    /// Returns the tickets that are not among others.
    public static List<Tickets> without(List<Tickets> tickets, List<Tickets> others) {
        Set<Tickets> known = new HashSet<>(others);
        return tickets.stream().filter(ticket -> !known.contains(ticket)).toList();
    }

    private static Tickets next(SplittableRandom random) {
        int team = random.nextInt(TEAMS.size());
        String text = TEXTS.get(team).get(random.nextInt(4)).formatted(THINGS.get(random.nextInt(THINGS.size())));
        String name = NAMES.get(random.nextInt(NAMES.size()));
        String ticket = random.nextBoolean()
                ? name + " wrote: " + text + "."
                : "Ticket " + (1 + random.nextInt(9)) + " from " + name + ": " + text + ".";
        return new Tickets(
                "Route this ticket: " + ticket, "{\"team\":\"" + TEAMS.get(team) + "\",\"from\":\"" + name + "\"}");
    }

    /// Returns what the model is asked.
    public List<Message> prompt() {
        return List.of(Message.user(question));
    }

    String line() {
        var json = JSON.createObjectNode();
        var messages = json.putArray("messages");
        messages.addObject().put("role", "user").put("content", question);
        messages.addObject().put("role", "assistant").put("content", answer);
        return json.toString();
    }

    /// Writes tickets as a file of chats.
    public static Path write(Path file, List<Tickets> tickets) {
        try {
            return Files.writeString(file, tickets.stream().map(Tickets::line).collect(Collectors.joining("\n")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package dev.mixtral.cli;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolMessage;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.engine.Engine;
import dev.mixtral.engine.Generation;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.OutputConstraint;
import dev.mixtral.error.MixtralException;
import dev.mixtral.sampling.SamplingParams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A conversation: its history, its commands, and the answers as they are generated. Confined to one thread, but for
/// Ctrl-C, which comes from another.
final class ChatSession {
    private static final String PROMPT = "> ";
    private static final int INTERRUPTED_EXIT_CODE = 130;
    private static final String HELP = """
            /system TEXT  instructions for the model; without TEXT, none
            /reset        forget the conversation
            /save FILE    write the conversation as JSON; an existing file is left alone
            /stats        tokens and time of the last answer
            /exit         leave (also: Ctrl-D)
            Ctrl-C ends an answer; a second one ends the program.""";

    private final Engine engine;
    private final String adapter;
    private final SamplingParams params;
    private final @Nullable OutputConstraint constraint;
    private final Terminal terminal;
    private final List<Message> history = new ArrayList<>();
    private @Nullable String system;
    private @Nullable Answer lastAnswer;
    private volatile @Nullable Generation running;
    private volatile boolean interrupted;

    /// @param adapter name of a loaded adapter; empty for the model itself
    /// @param constraint what every answer must look like, if anything
    /// @param system instructions for the model, if any
    ChatSession(
            Engine engine,
            String adapter,
            SamplingParams params,
            @Nullable OutputConstraint constraint,
            @Nullable String system,
            Terminal terminal) {
        this.engine = engine;
        this.adapter = adapter;
        this.params = params;
        this.constraint = constraint;
        this.system = system;
        this.terminal = terminal;
    }

    /// Answers line after line, until there is none or the user leaves.
    void run(LineSource lines) {
        lines.onInterrupt(this::interrupt);
        String line = lines.readLine(PROMPT);
        while (line != null) {
            String text = line.strip();
            if (text.equals("/exit")) {
                return;
            }
            if (text.startsWith("/")) {
                command(text);
            } else if (!text.isEmpty()) {
                try {
                    answer(text);
                } catch (MixtralException e) {
                    terminal.err().println(Failures.describe(e) + " (/reset starts over.)");
                }
            }
            line = lines.readLine(PROMPT);
        }
    }

    /// Generates the answer to a message and appends both to the history.
    ///
    /// @throws MixtralException if the message cannot be answered; the history is as before
    void answer(String text) {
        List<Message> messages = new ArrayList<>();
        if (system != null) {
            messages.add(Message.system(system));
        }
        messages.addAll(history);
        messages.add(Message.user(text));
        Answer answer = new Answer(engine.tokenizer());
        interrupted = false;
        try (Generation generation = engine.generate(
                engine.chat(messages, List.of(), params).withAdapter(adapter).withConstraint(constraint))) {
            running = generation;
            for (GenerationEvent event : generation) {
                answer.add(event);
                if (event instanceof TextDelta delta) {
                    terminal.out().print(delta.text());
                    terminal.out().flush();
                }
            }
        } finally {
            running = null;
        }
        answer.toolCallsText().ifPresent(terminal.out()::print);
        terminal.out().println();
        terminal.out().flush();
        history.add(Message.user(text));
        history.add(new AssistantMessage(answer.text(), answer.toolCalls(), false));
        lastAnswer = answer;
    }

    /// Ctrl-C outside of a prompt: first the answer ends, then the program.
    private void interrupt() {
        Generation generation = running;
        if (generation == null) {
            return; // between an answer and the next prompt, where there is nothing to end
        }
        if (interrupted) {
            terminal.flush();
            System.exit(INTERRUPTED_EXIT_CODE);
        }
        interrupted = true;
        generation.cancel();
    }

    private void command(String text) {
        int blank = text.indexOf(' ');
        String name = blank < 0 ? text : text.substring(0, blank);
        String argument = blank < 0 ? "" : text.substring(blank).strip();
        switch (name) {
            case "/help" -> say(HELP);
            case "/reset" -> {
                history.clear();
                say("The conversation is forgotten.");
            }
            case "/system" -> {
                system = argument.isEmpty() ? null : argument;
                say(system == null ? "No instructions." : "Instructions set.");
            }
            case "/save" -> save(argument);
            case "/stats" -> say(lastAnswer == null ? "Nothing was answered yet." : lastAnswer.statistics());
            default -> say("There is no command " + name + "; /help lists the commands.");
        }
    }

    private void save(String file) {
        if (file.isEmpty()) {
            say("/save needs the name of a file.");
            return;
        }
        try {
            byte[] json = JsonLines.MAPPER.writeValueAsBytes(toJson());
            Files.write(Path.of(file), json, StandardOpenOption.CREATE_NEW);
            say("Saved to " + file + ".");
        } catch (IOException | InvalidPathException e) {
            say("Not saved: " + e);
        }
    }

    private ObjectNode toJson() {
        ObjectNode root = JsonLines.MAPPER.createObjectNode();
        ArrayNode messages = root.putArray("messages");
        if (system != null) {
            messages.addObject().put("role", "system").put("content", system);
        }
        for (Message message : history) {
            boolean isAnswer = message instanceof AssistantMessage;
            messages.addObject().put("role", isAnswer ? "assistant" : "user").put("content", contentOf(message));
        }
        return root;
    }

    private static @Nullable String contentOf(Message message) {
        return switch (message) {
            case AssistantMessage answer -> answer.content();
            case UserMessage(String content) -> content;
            case SystemMessage(String content) -> content;
            case ToolMessage result -> result.content();
        };
    }

    private void say(String text) {
        terminal.err().println(text);
    }
}

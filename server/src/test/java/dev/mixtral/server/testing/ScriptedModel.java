package dev.mixtral.server.testing;

import dev.mixtral.chat.ChatTemplates;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.engine.Usage;
import dev.mixtral.grammar.GrammarCompiler;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.api.ChatModel;
import dev.mixtral.server.api.ServedModel;
import dev.mixtral.server.api.ServedModels;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// A model that says what a script tells it to, with the embedded model's tokenizer and template.
public final class ScriptedModel implements ChatModel {
    /// The name that it is served under.
    public static final String ID = "scripted";

    private static final int CONTEXT = 4096;
    private static final Usage USAGE = new Usage(9, 4, 3, 2_000_000, 8_000_000);

    private final Tokenizer tokenizer = Tokenizers.open(
            Path.of(System.getProperty("mixtral.home", ".."), "models", "mixtral-tiny", "tokenizer.model"));
    private final BiFunction<GenerationRequest, Integer, Script> scripts;
    private final GrammarCompiler grammars = new GrammarCompiler(tokenizer);
    private boolean writesCallsAsText;

    /// The requests that came, in order.
    public final ConcurrentLinkedQueue<GenerationRequest> requests = new ConcurrentLinkedQueue<>();

    /// Counts generations that were told to stop before their end.
    public final AtomicInteger cancelled = new AtomicInteger();

    /// Counts generations whose resources were freed.
    public final AtomicInteger closed = new AtomicInteger();

    /// One step of a generation.
    public sealed interface Step {
        /// An event comes.
        record Event(GenerationEvent event) implements Step {}

        /// Nothing comes for a while.
        record Pause(Duration time) implements Step {}

        /// Nothing comes until somebody opens the latch, or the generation is cancelled.
        record Await(CountDownLatch latch) implements Step {}

        /// The generation fails.
        record Fail(RuntimeException failure) implements Step {}
    }

    /// What a generation does.
    public record Script(List<Step> steps) {
        /// A script of events alone.
        public static Script of(GenerationEvent... events) {
            List<Step> steps = new ArrayList<>();
            for (GenerationEvent event : events) {
                steps.add(new Step.Event(event));
            }
            return new Script(steps);
        }

        /// Says some pieces of text and stops.
        public static Script saying(String... pieces) {
            List<GenerationEvent> events = new ArrayList<>();
            events.add(new Started(4));
            for (String piece : pieces) {
                events.add(text(piece));
            }
            events.add(end(FinishReason.STOP));
            return of(events.toArray(GenerationEvent[]::new));
        }

        /// Calls a function and stops.
        public static Script calling(String name, String arguments) {
            return of(
                    new Started(0),
                    new ToolCalls(List.of(new ToolCall("x", name, arguments))),
                    end(FinishReason.TOOL_CALLS));
        }

        /// Adds a step.
        public Script then(Step step) {
            List<Step> more = new ArrayList<>(steps);
            more.add(step);
            return new Script(more);
        }
    }

    /// A piece of text.
    public static TextDelta text(String piece) {
        return new TextDelta(piece, List.of());
    }

    /// An end: 9 prompt tokens, 4 of them cached, 3 generated ones.
    public static Finished end(FinishReason reason) {
        return new Finished(reason, USAGE);
    }

    /// @param script what every generation does
    public ScriptedModel(Script script) {
        this((request, choice) -> script);
    }

    /// @param scripts what a generation does, by its request and its number among those that start together
    public ScriptedModel(BiFunction<GenerationRequest, Integer, Script> scripts) {
        this.scripts = scripts;
    }

    /// Makes this a model that has no token for calls.
    public ScriptedModel writingCallsAsText() {
        writesCallsAsText = true;
        return this;
    }

    @Override
    public boolean writesCallsAsText() {
        return writesCallsAsText;
    }

    /// Returns this model under its name.
    public ServedModels served(String... aliases) {
        return new ServedModels(
                List.of(new ServedModel(ID, List.of(aliases), 1_702_252_800L, "a script", "f32", "script", this)));
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public GrammarCompiler grammars() {
        return grammars;
    }

    @Override
    public int contextLength() {
        return CONTEXT;
    }

    @Override
    public int vocabSize() {
        return tokenizer.vocabSize();
    }

    @Override
    public int numExpertsPerToken() {
        return 2;
    }

    @Override
    public String fingerprint() {
        return "fp_0123456789ab";
    }

    @Override
    public int[] renderChat(List<Message> messages, List<ToolDefinition> tools) {
        return ChatTemplates.forTemplates(List.of(), tokenizer)
                .render(messages, tools)
                .ids();
    }

    @Override
    public List<TokenLogprob> promptLogprobs(int[] ids, int top) {
        List<TokenLogprob> result = new ArrayList<>();
        for (int id : ids) {
            result.add(new TokenLogprob(id, -1, List.of()));
        }
        return result;
    }

    @Override
    public List<Choice> generate(List<GenerationRequest> asked) {
        requests.addAll(asked);
        List<Choice> choices = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
            choices.add(new ScriptedChoice(scripts.apply(asked.get(i), i)));
        }
        return choices;
    }

    private final class ScriptedChoice implements Choice {
        private final BlockingQueue<Step> steps;
        private volatile boolean stopped;
        private boolean ended;

        ScriptedChoice(Script script) {
            steps = new ArrayBlockingQueue<>(script.steps().size() + 1, false, script.steps());
        }

        @Override
        public @Nullable GenerationEvent next(Duration timeout) throws InterruptedException {
            Step step = steps.poll();
            if (stopped) {
                ended = true;
                return end(FinishReason.ABORTED);
            }
            return switch (step) {
                case Step.Event(GenerationEvent event) -> {
                    ended = event instanceof Finished;
                    yield event;
                }
                case Step.Pause(Duration time) -> {
                    Thread.sleep(time);
                    yield null;
                }
                case Step.Await(CountDownLatch latch) -> {
                    while (!stopped && !latch.await(10, TimeUnit.MILLISECONDS)) {
                        // Waits on.
                    }
                    yield next(timeout);
                }
                case Step.Fail(RuntimeException failure) -> throw failure;
                case null -> {
                    Thread.sleep(timeout);
                    yield null;
                }
            };
        }

        @Override
        public void cancel() {
            if (!ended && !stopped) {
                stopped = true;
                cancelled.incrementAndGet();
            }
        }

        @Override
        public void close() {
            closed.incrementAndGet();
        }
    }
}

package dev.mixtral.engine;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCallDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.error.EngineFailedException;
import dev.mixtral.error.GrammarException;
import dev.mixtral.kvcache.BlockHash;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.model.Adapter;
import dev.mixtral.sampling.Sampler;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.sampling.TokenHistory;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.sampling.TokenMask;
import dev.mixtral.scheduler.SchedulerRequest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A generation as the engine sees it: what the scheduler knows of it, its keys and values, its sampler and its text.
/// Confined to the engine's thread, apart from [#sample], which one thread of the team runs at a time.
final class Sequence {
    private final SchedulerRequest request;
    private final KvCache cache;
    private final @Nullable Adapter adapter;
    private final Generation generation;
    private final SamplingParams params;
    private final Answers answers;
    private final boolean routing;
    private final Sampler sampler;
    private final TokenHistory history;
    private final AnswerText text;
    private final @Nullable ConstrainedAnswer constraint;
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<GenerationEvent> events = new ArrayList<>();
    private final long startNanos = System.nanoTime();
    private long ttftNanos;
    private int numRoutedTokens;
    private boolean started;
    private boolean paused;
    private long pausedSinceNanos;
    private @Nullable RuntimeException failure;

    /// @param answers what all generations of the model have in common
    /// @param maxNumTokens positions that the context has
    /// @param cache an empty view of the shared blocks
    /// @param adapter the request's adapter, or `null`
    /// @param control how the reader reaches the engine
    /// @throws dev.mixtral.error.InvalidRequestException if a logit bias names an id outside the vocabulary
    /// @throws GrammarException if the prompt ends with a text that its constraint forbids
    Sequence(
            GenerationRequest request,
            Answers answers,
            int maxNumTokens,
            KvCache cache,
            @Nullable Adapter adapter,
            Function<Sequence, Generation.Control> control) {
        int[] prompt = request.prompt();
        this.params = request.params();
        int room = maxNumTokens - prompt.length;
        int maxNewTokens = params.maxTokens() == 0 ? room : Math.min(params.maxTokens(), room);
        this.request = new SchedulerRequest(
                prompt,
                prompt.length + maxNewTokens,
                request.client(),
                adapter == null ? BlockHash.ROOT : BlockHash.root(adapter.digest()));
        this.cache = cache;
        this.adapter = adapter;
        this.answers = answers;
        this.routing = request.routing();
        long seed = params.seed() == null ? new SecureRandom().nextLong() : params.seed();
        this.sampler = new Sampler(params, seed, answers.vocabSize(), answers.bannedIds());
        this.history = new TokenHistory(prompt);
        this.text = new AnswerText(answers.tokenizer(), params.stop(), seed);
        if (request.continuation()) {
            text.continueFrom(prompt[prompt.length - 1]);
        }
        OutputConstraint bound = request.constraint();
        this.constraint = bound == null ? null : ConstrainedAnswer.start(bound, request.continuation(), answers);
        if (constraint != null && constraint.bindsCalls()) {
            text.tellPieces();
        }
        if (bound instanceof OutputConstraint.Text whole) {
            text.stopNothingBehind(whole.grammar().trigger());
        }
        this.generation = new Generation(control.apply(this));
    }

    SchedulerRequest request() {
        return request;
    }

    KvCache cache() {
        return cache;
    }

    @Nullable
    Adapter adapter() {
        return adapter;
    }

    Generation generation() {
        return generation;
    }

    boolean wantsRouting() {
        return routing;
    }

    boolean isStarted() {
        return started;
    }

    /// Returns the nanoseconds since the request was made.
    long ageNanos() {
        return System.nanoTime() - startNanos;
    }

    boolean isPaused() {
        return paused;
    }

    void setPaused(boolean value) {
        paused = value;
        pausedSinceNanos = System.nanoTime();
    }

    /// Returns for how long the reader has left the buffer full.
    long stalledNanos() {
        return paused ? System.nanoTime() - pausedSinceNanos : 0;
    }

    /// Announces that the prompt is about to be computed, once.
    void start() {
        if (!started) {
            started = true;
            events.add(new Started(request.numCachedTokens()));
            generation.offer(-1, take());
        }
    }

    /// Takes the experts of a token that was computed. What is computed again after a preemption is not told again.
    void routed(int position, int[] experts, float[] weights) {
        if (position >= numRoutedTokens) {
            events.add(new Routed(position, request.token(position), experts, weights));
            numRoutedTokens = position + 1;
        }
    }

    /// Chooses the token that follows. If that fails, [#failure()] says why, and what is returned means nothing.
    ///
    /// @param logits `[offset, offset + vocabSize)`; not modified
    int sample(float[] logits, int offset) {
        try {
            return choose(logits, offset);
        } catch (GrammarException e) {
            failure = e;
        } catch (RuntimeException | StackOverflowError e) {
            failure = new EngineFailedException(e);
        }
        return answers.tokenizer().eosId();
    }

    private int choose(float[] logits, int offset) {
        TokenMask mask = constraint == null ? null : constraint.mask();
        int id = sampler.sample(logits, offset, history, mask);
        boolean ends = answers.endIds().get(id);
        if (constraint != null && !ends) {
            constraint.accept(id);
        }
        if (params.topLogprobs() != null && !ends) {
            logprobs.add(sampler.logprob(logits, offset, id, params.topLogprobs()));
        }
        return id;
    }

    /// Returns why no token could be chosen, or `null`.
    @Nullable
    RuntimeException failure() {
        return failure;
    }

    /// Takes the token that was chosen, after the scheduler did.
    ///
    /// @return why the generation ends with it; `null` if it goes on
    @Nullable
    FinishReason accept(int id) {
        if (ttftNanos == 0) {
            ttftNanos = ageNanos();
        }
        if (answers.endIds().get(id)) {
            return FinishReason.STOP;
        }
        history.append(id);
        emit(text.append(id));
        if (text.stopped() || (constraint != null && constraint.isEnd())) {
            return FinishReason.STOP;
        }
        return request.numTokens() == request.maxNumTokens() ? FinishReason.LENGTH : null;
    }

    private void emit(String delta) {
        if (!delta.isEmpty()) {
            events.add(new TextDelta(delta, List.copyOf(logprobs)));
            logprobs.clear();
        }
        text.takePieces()
                .forEach(piece -> events.add(new ToolCallDelta(piece.index(), piece.name(), piece.arguments())));
    }

    /// Adds the events of the end.
    void finish(FinishReason reason) {
        emit(text.finish());
        FinishReason reported = reason;
        Optional<List<ToolCall>> calls = text.toolCalls();
        if (calls.isPresent()) {
            events.add(new ToolCalls(calls.get()));
            reported = reason == FinishReason.STOP ? FinishReason.TOOL_CALLS : reason;
        } else {
            // Not a call, or cut off in one: the reader still gets what the model wrote.
            emit(text.toolText());
        }
        if (!logprobs.isEmpty()) {
            events.add(new TextDelta("", List.copyOf(logprobs)));
        }
        int numPromptTokens = request.numPromptTokens();
        int numGenerated = request.numTokens() - numPromptTokens;
        var usage = new Usage(numPromptTokens, request.numCachedTokens(), numGenerated, ttftNanos, ageNanos());
        events.add(new Finished(reported, usage));
    }

    /// Hands the events since the last call to the reader.
    ///
    /// @param id the token that they came from; negative if there is none
    /// @return whether the reader should be given time
    boolean deliver(int id) {
        return generation.offer(id, take());
    }

    private List<GenerationEvent> take() {
        List<GenerationEvent> taken = List.copyOf(events);
        events.clear();
        return taken;
    }
}

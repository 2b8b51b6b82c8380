package dev.mixtral.engine;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.sampling.Sampler;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.sampling.TokenHistory;
import dev.mixtral.sampling.TokenLogprob;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;

/// A running generation: its events, computed as they are read.
///
/// Can be iterated once, by one thread; [#cancel()] may come from any. Reading to the end frees what it holds, so
/// does [#close()].
public final class Generation implements Iterable<GenerationEvent>, AutoCloseable {
    private final Engine engine;
    private final SamplingParams params;
    private final boolean routing;
    private final int[] prompt;
    private final int maxNewTokens;
    private final BitSet endIds;
    private final Sampler sampler;
    private final TokenHistory history;
    private final AnswerText text;
    private final Deque<GenerationEvent> ready = new ArrayDeque<>();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<Integer> generatedIds = new ArrayList<>();
    private final long startNanos = System.nanoTime();
    private final Sequence sequence;
    private final int numCachedTokens;
    private final float[] logits;
    private long ttftNanos;
    private volatile boolean cancelled;
    private boolean finished;
    private boolean released;

    Generation(Engine engine, GenerationRequest request) {
        this.engine = engine;
        this.params = request.params();
        this.routing = request.routing();
        this.prompt = request.prompt().clone();
        int room = engine.contextLength() - prompt.length;
        this.maxNewTokens = params.maxTokens() == 0 ? room : Math.min(params.maxTokens(), room);
        this.endIds = engine.endIds();
        long seed = params.seed() == null ? new SecureRandom().nextLong() : params.seed();
        int vocabSize = engine.modelConfig().vocabSize();
        this.sampler = new Sampler(params, seed, vocabSize, engine.bannedIds());
        this.history = new TokenHistory(prompt);
        this.text = new AnswerText(engine.tokenizer(), params.stop(), seed);
        if (request.continuation()) {
            text.continueFrom(prompt[prompt.length - 1]);
        }
        this.logits = new float[vocabSize];
        this.sequence = engine.acquire(prompt);
        this.numCachedTokens = sequence.cache().numComputedTokens();
        ready.add(new Started(numCachedTokens));
    }

    /// Ends the generation after the current forward pass, with [FinishReason#ABORTED].
    public void cancel() {
        cancelled = true;
    }

    /// Returns the ids generated so far, the end-of-sequence token included.
    public int[] generatedIds() {
        return generatedIds.stream().mapToInt(Integer::intValue).toArray();
    }

    /// Returns the events that have not been read yet; every call returns the same sequence of events.
    @Override
    public Iterator<GenerationEvent> iterator() {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return !finished || !ready.isEmpty();
            }

            @Override
            public GenerationEvent next() {
                if (!hasNext()) {
                    throw new NoSuchElementException("the generation has ended");
                }
                return nextEvent();
            }
        };
    }

    /// Returns the next event, or empty if none came within the time or the generation has ended.
    public Optional<GenerationEvent> poll(Duration timeout) throws InterruptedException {
        Objects.requireNonNull(timeout);
        return iterator().hasNext() ? Optional.of(nextEvent()) : Optional.empty();
    }

    private GenerationEvent nextEvent() {
        try {
            while (ready.isEmpty()) {
                step();
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
        return ready.removeFirst();
    }

    /// Computes one token.
    private void step() {
        computeLogits();
        if (cancelled) {
            finish(FinishReason.ABORTED);
            return;
        }
        int id = sampler.sample(logits, 0, history);
        if (generatedIds.isEmpty()) {
            ttftNanos = System.nanoTime() - startNanos;
        }
        generatedIds.add(id);
        if (endIds.get(id)) {
            finish(FinishReason.STOP);
            return;
        }
        if (params.topLogprobs() != null) {
            logprobs.add(sampler.logprob(logits, 0, id, params.topLogprobs()));
        }
        history.append(id);
        emit(text.append(id));
        if (text.stopped()) {
            finish(FinishReason.STOP);
        } else if (generatedIds.size() == maxNewTokens) {
            finish(FinishReason.LENGTH);
        }
    }

    /// Runs the tokens that the cache lacks, and leaves the logits behind the last of them.
    private void computeLogits() {
        int[] pending = pendingTokens();
        for (int from = 0; from < pending.length && !cancelled; from += engine.maxNumBatchedTokens()) {
            int[] piece =
                    Arrays.copyOfRange(pending, from, Math.min(pending.length, from + engine.maxNumBatchedTokens()));
            int first = sequence.cache().numComputedTokens();
            int[][] experts = new int[routing ? piece.length : 0][numChoices()];
            float[][] weights = new float[routing ? piece.length : 0][numChoices()];
            int numExpertsPerToken = engine.modelConfig().numExpertsPerToken();
            sequence.append(piece);
            engine.forward(
                    sequence.cache(),
                    piece,
                    false,
                    !routing
                            ? null
                            : (layer, row, rank, expert, weight) -> {
                                experts[row][layer * numExpertsPerToken + rank] = expert;
                                weights[row][layer * numExpertsPerToken + rank] = weight;
                            },
                    result -> System.arraycopy(result.data(), 0, logits, 0, logits.length));
            for (int i = 0; i < experts.length; i++) {
                ready.add(new Routed(first + i, piece[i], experts[i], weights[i]));
            }
        }
    }

    private int numChoices() {
        return engine.modelConfig().numLayers() * engine.modelConfig().numExpertsPerToken();
    }

    private int[] pendingTokens() {
        int computed = sequence.cache().numComputedTokens();
        return computed < prompt.length
                ? Arrays.copyOfRange(prompt, computed, prompt.length)
                : new int[] {generatedIds.getLast()};
    }

    private void emit(String delta) {
        if (!delta.isEmpty()) {
            ready.add(new TextDelta(delta, List.copyOf(logprobs)));
            logprobs.clear();
        }
    }

    private void finish(FinishReason reason) {
        emit(text.finish());
        FinishReason reported = reason;
        if (!text.toolText().isEmpty()) {
            Optional<List<ToolCall>> calls = text.toolCalls();
            if (calls.isPresent()) {
                ready.add(new ToolCalls(calls.get()));
                reported = reason == FinishReason.STOP ? FinishReason.TOOL_CALLS : reason;
            } else {
                // Not a call, or cut off in one: the reader still gets what the model wrote.
                emit(text.toolText());
            }
        }
        if (!logprobs.isEmpty()) {
            ready.add(new TextDelta("", List.copyOf(logprobs)));
            logprobs.clear();
        }
        long totalNanos = System.nanoTime() - startNanos;
        ready.add(new Finished(
                reported, new Usage(prompt.length, numCachedTokens, generatedIds.size(), ttftNanos, totalNanos)));
        close();
    }

    /// Ends the generation, if it has not ended, without a further event.
    @Override
    public void close() {
        finished = true;
        if (!released) {
            released = true;
            engine.release(sequence);
        }
    }
}

package dev.mixtral.server.api;

import dev.mixtral.chat.InstructTemplate;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.engine.Engine;
import dev.mixtral.engine.Generation;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.grammar.GrammarCompiler;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.sampling.TokenLogprob.Candidate;
import dev.mixtral.server.AdapterSpec;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.TokenizerVersion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A model that an engine of this process runs, by itself or with an adapter. Thread-safe.
public final class EngineModel implements ChatModel {
    /// All logits of a prompt are in memory at once while it is scored: half a gibibyte of them at most.
    private static final long MAX_SCORED_LOGITS = 1L << 27;

    private final Engine engine;
    private final String adapter;
    private final String fingerprint;

    /// @param engine stays the caller's to close
    public EngineModel(Engine engine) {
        this(engine, "");
    }

    private EngineModel(Engine engine, String adapter) {
        this.engine = engine;
        this.adapter = adapter;
        this.fingerprint = engine.fingerprint(adapter);
    }

    @Override
    public void loadAdapter(AdapterSpec spec) {
        engine.loadAdapter(spec.name(), spec.path());
    }

    @Override
    public boolean unloadAdapter(String name) {
        return engine.unloadAdapter(name);
    }

    @Override
    public ChatModel withAdapter(String name) {
        return new EngineModel(engine, name);
    }

    @Override
    public Tokenizer tokenizer() {
        return engine.tokenizer();
    }

    @Override
    public int contextLength() {
        return engine.contextLength();
    }

    @Override
    public int vocabSize() {
        return engine.modelConfig().vocabSize();
    }

    @Override
    public int numExpertsPerToken() {
        return engine.modelConfig().numExpertsPerToken();
    }

    @Override
    public String fingerprint() {
        return fingerprint;
    }

    @Override
    public GrammarCompiler grammars() {
        return engine.grammars();
    }

    @Override
    public boolean writesCallsAsText() {
        return engine.tokenizer().controlId(PlainTextTools.TRIGGER).isEmpty();
    }

    /// Mistral's first format has no place for tools; other templates may.
    private boolean hearsOfToolsInWords() {
        return engine.tokenizer().version() == TokenizerVersion.V1 && engine.chatTemplate() instanceof InstructTemplate;
    }

    @Override
    public int[] renderChat(List<Message> messages, List<ToolDefinition> tools) {
        return hearsOfToolsInWords()
                ? engine.chatTemplate()
                        .render(PlainTextTools.rewrite(messages, tools), List.of())
                        .ids()
                : engine.chatTemplate().render(messages, tools).ids();
    }

    @Override
    public List<Choice> generate(List<GenerationRequest> requests) {
        List<GenerationRequest> adapted =
                requests.stream().map(request -> request.withAdapter(adapter)).toList();
        return engine.generate(adapted).stream().<Choice>map(EngineChoice::new).toList();
    }

    @Override
    public List<TokenLogprob> promptLogprobs(int[] ids, int top) {
        if ((long) ids.length * vocabSize() > MAX_SCORED_LOGITS) {
            throw new InvalidRequestException(
                    "prompt",
                    "log-probabilities of an echoed prompt are available for prompts of up to "
                            + MAX_SCORED_LOGITS / vocabSize() + " tokens, but this one has " + ids.length);
        }
        float[][] logits = engine.logits(ids, true, adapter);
        List<TokenLogprob> result = new ArrayList<>();
        result.add(new TokenLogprob(ids[0], 0, List.of()));
        for (int i = 1; i < ids.length; i++) {
            result.add(logprob(logits[i - 1], ids[i], top));
        }
        return result;
    }

    private static TokenLogprob logprob(float[] logits, int id, int top) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        double logSum = max + Math.log(sum);
        List<Candidate> best = IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.<Integer>comparingDouble(candidate -> -logits[candidate])
                        .thenComparingInt(candidate -> candidate))
                .limit(top)
                .map(candidate -> new Candidate(candidate, logits[candidate] - logSum))
                .toList();
        return new TokenLogprob(id, logits[id] - logSum, best);
    }

    private record EngineChoice(Generation generation) implements Choice {
        @Override
        public @Nullable GenerationEvent next(Duration timeout) throws InterruptedException {
            return generation.poll(timeout).orElse(null);
        }

        @Override
        public void cancel() {
            generation.cancel();
        }

        @Override
        public void close() {
            generation.close();
        }
    }
}

package dev.mixtral.train;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.Generation;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.sampling.SamplingParams;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Greedy answers of the inference engine.
///
/// @param engine the engine
/// @param routing takes the experts of every token; may be `null`
/// @param adapter that is applied; empty for none
record EngineGenerator(Engine engine, @Nullable Consumer<Routed> routing, String adapter) implements TextGenerator {
    EngineGenerator(Engine engine, @Nullable Consumer<Routed> routing) {
        this(engine, routing, "");
    }

    @Override
    public int[] generate(int[] prompt, int maxTokens) {
        try (Generation generation = engine.generate(request(prompt, maxTokens))) {
            return answer(generation);
        }
    }

    /// All at once: the sequences share forward passes.
    @Override
    public List<int[]> generateAll(List<int[]> prompts, int maxTokens) {
        List<Generation> generations = engine.generate(
                prompts.stream().map(prompt -> request(prompt, maxTokens)).toList());
        return generations.stream().map(this::answer).toList();
    }

    private GenerationRequest request(int[] prompt, int maxTokens) {
        return new GenerationRequest(
                        prompt, SamplingParams.greedy().maxTokens(maxTokens).build())
                .withRouting(routing != null)
                .withAdapter(adapter);
    }

    private int[] answer(Generation generation) {
        for (GenerationEvent event : generation) {
            if (routing != null && event instanceof Routed routed) {
                routing.accept(routed);
            }
        }
        int[] ids = generation.generatedIds();
        boolean ended =
                ids.length > 0 && ids[ids.length - 1] == engine.tokenizer().eosId();
        return ended ? Arrays.copyOf(ids, ids.length - 1) : ids;
    }
}

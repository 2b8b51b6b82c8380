package dev.mixtral.train;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.Generation;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.model.RoutingObserver;
import dev.mixtral.sampling.SamplingParams;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Greedy answers of the inference engine.
///
/// @param engine the engine
/// @param observer is told the routing; may be `null`
record EngineGenerator(Engine engine, @Nullable RoutingObserver observer) implements TextGenerator {
    @Override
    public int[] generate(int[] prompt, int maxTokens) {
        var request = new GenerationRequest(
                prompt, SamplingParams.greedy().maxTokens(maxTokens).build());
        try (Generation generation = engine.generate(request, observer)) {
            for (GenerationEvent event : generation) {
                assert event != null;
            }
            int[] ids = generation.generatedIds();
            boolean ended =
                    ids.length > 0 && ids[ids.length - 1] == engine.tokenizer().eosId();
            return ended ? Arrays.copyOf(ids, ids.length - 1) : ids;
        }
    }
}

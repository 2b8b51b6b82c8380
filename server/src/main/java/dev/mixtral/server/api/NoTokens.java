package dev.mixtral.server.api;

import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.Usage;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// A generation of no tokens at all, which `max_tokens: 0` asks for. Confined to one thread, but for [#cancel()].
final class NoTokens implements ChatModel.Choice {
    private final int numPromptTokens;
    private boolean ended;

    NoTokens(int numPromptTokens) {
        this.numPromptTokens = numPromptTokens;
    }

    @Override
    public @Nullable GenerationEvent next(Duration timeout) {
        if (ended) {
            return null;
        }
        ended = true;
        return new GenerationEvent.Finished(FinishReason.LENGTH, new Usage(numPromptTokens, 0, 0, 0, 0));
    }

    @Override
    public void cancel() {}

    @Override
    public void close() {}
}

package dev.mixtral.cli;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.engine.FinishReason;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCallDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.engine.Usage;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Collects the events of one generation. Confined to one thread.
final class Answer {
    private final Tokenizer tokenizer;
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<ToolCall> calls = new ArrayList<>();
    private @Nullable Finished finished;

    Answer(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    void add(GenerationEvent event) {
        switch (event) {
            // Pieces are repeated as whole calls, unless the answer is cut off in one.
            case Started _, Routed _, ToolCallDelta _ -> {}
            case TextDelta delta -> {
                text.append(delta.text());
                logprobs.addAll(delta.logprobs());
            }
            case ToolCalls(List<ToolCall> some) -> calls.addAll(some);
            case Finished end -> finished = end;
        }
    }

    /// Returns the text so far.
    String text() {
        return text.toString();
    }

    /// Returns the calls that the model wants made.
    List<ToolCall> toolCalls() {
        return calls;
    }

    /// Returns the calls as a JSON array of name and arguments, if there are any.
    Optional<String> toolCallsText() {
        return calls.isEmpty() ? Optional.empty() : Optional.of(JsonLines.MAPPER.writeValueAsString(callsJson()));
    }

    /// Returns one line on tokens and time, for people.
    String statistics() {
        if (finished == null) {
            return "stopped";
        }
        Usage usage = finished.usage();
        return String.format(
                Locale.ROOT,
                "%s: %d prompt tokens (%d kept from before), %d generated; first after %.2f s, then %.1f tokens/s",
                finished.reason().name().toLowerCase(Locale.ROOT),
                usage.numPromptTokens(),
                usage.numCachedTokens(),
                usage.numGeneratedTokens(),
                usage.ttftNanos() / 1e9,
                usage.generatedTokensPerSecond());
    }

    /// Returns everything as one object.
    ObjectNode toJson(int[] ids) {
        ObjectNode root = JsonLines.MAPPER.createObjectNode().put("text", text());
        root.set("ids", JsonLines.array(ids));
        if (!calls.isEmpty()) {
            root.set("toolCalls", callsJson());
        }
        if (finished != null) {
            FinishReason reason = finished.reason();
            Usage usage = finished.usage();
            root.put("finishReason", reason.name().toLowerCase(Locale.ROOT));
            root.putObject("usage")
                    .put("promptTokens", usage.numPromptTokens())
                    .put("cachedTokens", usage.numCachedTokens())
                    .put("generatedTokens", usage.numGeneratedTokens())
                    .put("ttftSeconds", usage.ttftNanos() / 1e9)
                    .put("seconds", usage.totalNanos() / 1e9);
        }
        if (!logprobs.isEmpty()) {
            ArrayNode array = root.putArray("logprobs");
            logprobs.forEach(logprob -> addLogprob(array.addObject(), logprob));
        }
        return root;
    }

    private void addLogprob(ObjectNode node, TokenLogprob logprob) {
        node.put("id", logprob.id()).put("piece", tokenizer.piece(logprob.id())).put("logprob", logprob.logprob());
        ArrayNode top = node.putArray("top");
        logprob.top()
                .forEach(rival -> top.addObject()
                        .put("id", rival.id())
                        .put("piece", tokenizer.piece(rival.id()))
                        .put("logprob", rival.logprob()));
    }

    private ArrayNode callsJson() {
        ArrayNode array = JsonLines.MAPPER.createArrayNode();
        calls.forEach(call ->
                array.addObject().put("id", call.id()).put("name", call.name()).put("arguments", call.arguments()));
        return array;
    }
}

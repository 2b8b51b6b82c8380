package dev.mixtral.server.wire;

import dev.mixtral.server.wire.ChatRequest.Extras;
import dev.mixtral.server.wire.ChatRequest.StreamSettings;
import java.util.List;

/// A checked request for a text completion. Immutable.
///
/// @param prompts at least one
/// @param format the form that the text must have
/// @param sampling how tokens are chosen
/// @param numChoices answers wanted for each prompt
/// @param bestOf answers generated for each prompt, of which the most probable are returned
/// @param echo whether answers start with their prompt
/// @param stream how the answer is sent
/// @param extras what this server offers beyond the API
public record CompletionRequest(
        List<TextPrompt> prompts,
        OutputFormat format,
        Sampling sampling,
        int numChoices,
        int bestOf,
        boolean echo,
        StreamSettings stream,
        Extras extras) {
    public CompletionRequest {
        prompts = List.copyOf(prompts);
    }

    /// A prompt: text, which gets BOS in front, or ids, which are used as they are.
    public sealed interface TextPrompt {
        /// A text.
        record Text(String text) implements TextPrompt {}

        /// Token ids.
        record Ids(int[] ids) implements TextPrompt {}
    }
}

package dev.mixtral.server.api;

import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.grammar.GrammarCompiler;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.AdapterSpec;
import dev.mixtral.tokenizer.Tokenizer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the endpoints need of a loaded model. Implementations are thread-safe.
public interface ChatModel {
    /// Returns the tokenizer.
    Tokenizer tokenizer();

    /// Returns the positions that a sequence may have.
    int contextLength();

    /// Returns the number of token ids.
    int vocabSize();

    /// Returns the number of experts that a token visits.
    int numExpertsPerToken();

    /// Returns the text that names what equal output depends on.
    String fingerprint();

    /// Returns what compiles grammars for the model's vocabulary; the same one each time.
    ///
    /// @throws dev.mixtral.error.UnsupportedModelException if that vocabulary cannot be bound
    GrammarCompiler grammars();

    /// Returns whether the model writes calls of tools as text, for want of a token.
    default boolean writesCallsAsText() {
        return false;
    }

    /// Loads an adapter from a path on this machine.
    ///
    /// @throws dev.mixtral.error.MixtralException if there is none, it is broken or of another model, or the name
    ///     is taken
    default void loadAdapter(AdapterSpec adapter) {
        throw new UnsupportedModelException("This model takes no adapters.");
    }

    /// Forgets an adapter; what is being generated with it goes on.
    ///
    /// @return whether there was one of that name
    default boolean unloadAdapter(String name) {
        return false;
    }

    /// Returns the model with an adapter that is loaded.
    default ChatModel withAdapter(String name) {
        throw new UnsupportedModelException("This model takes no adapters.");
    }

    /// Returns the prompt of a conversation.
    ///
    /// @throws dev.mixtral.error.InvalidRequestException if the template has no place for these messages
    int[] renderChat(List<Message> messages, List<ToolDefinition> tools);

    /// Starts generations; either all of them or none.
    ///
    /// @throws dev.mixtral.error.MixtralException if they cannot be accepted
    List<Choice> generate(List<GenerationRequest> requests);

    /// Returns the log-probability of each id behind the ids before it; that of the first has no meaning.
    ///
    /// @param top alternatives to report with each
    List<TokenLogprob> promptLogprobs(int[] ids, int top);

    /// A running generation.
    interface Choice extends AutoCloseable {
        /// Returns the next event, or `null` if none comes within the time.
        ///
        /// @throws dev.mixtral.error.MixtralException if the generation failed
        @Nullable
        GenerationEvent next(Duration timeout) throws InterruptedException;

        /// Ends the generation soon; from any thread.
        void cancel();

        /// Frees what the generation holds.
        @Override
        void close();
    }
}

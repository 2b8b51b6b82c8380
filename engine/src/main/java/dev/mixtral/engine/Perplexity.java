package dev.mixtral.engine;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.ChatJson;
import dev.mixtral.chat.InstructTemplate;
import dev.mixtral.chat.Message;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.sampling.Sampler;
import java.util.Arrays;
import java.util.List;

/// How well a model predicts a text: `exp` of the mean negative log-likelihood of its tokens.
///
/// @param numTokens tokens that were predicted
/// @param negativeLogLikelihood sum over those tokens, in nats
/// @param seconds time taken
public record Perplexity(int numTokens, double negativeLogLikelihood, double seconds) {
    /// Returns the perplexity.
    public double value() {
        return Math.exp(negativeLogLikelihood / numTokens);
    }

    /// Measures a text in windows that do not overlap, each with BOS in front, so every token but BOS is predicted
    /// from those before it in its window.
    ///
    /// @param ids the text's tokens, without BOS
    /// @param window tokens of a window, BOS included; at least 2
    /// @throws InvalidRequestException if the text is empty or the window does not fit the context
    public static Perplexity measure(Engine engine, int[] ids, int window) {
        return measure(engine, "", ids, window);
    }

    /// Same, with an adapter.
    ///
    /// @param adapter name of a loaded adapter; empty for the model itself
    /// @throws dev.mixtral.error.ModelNotFoundException if there is no adapter of that name
    public static Perplexity measure(Engine engine, String adapter, int[] ids, int window) {
        if (window < 2 || window > engine.contextLength()) {
            throw new InvalidRequestException(
                    "window", "window must be between 2 and " + engine.contextLength() + ", got " + window);
        }
        if (ids.length == 0) {
            throw new InvalidRequestException("text", "the text is empty, so there is nothing to predict");
        }
        long start = System.nanoTime();
        double sum = 0;
        for (int from = 0; from < ids.length; from += window - 1) {
            int[] part = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + window - 1));
            sum += negativeLogLikelihood(
                    engine, adapter, new int[] {engine.tokenizer().bosId()}, part);
        }
        return new Perplexity(ids.length, sum, (System.nanoTime() - start) / 1e9);
    }

    /// Measures the last message of conversations, an answer of the assistant, given everything before it: its tokens
    /// and the end token are predicted, each from those before it. A conversation of one message is plain text.
    ///
    /// @throws InvalidRequestException if there is no conversation, or one does not end with an answer
    /// @throws dev.mixtral.error.ContextLengthException if one does not fit the context
    public static Perplexity ofAnswers(Engine engine, List<ChatJson.Request> conversations) {
        return ofAnswers(engine, "", conversations);
    }

    /// Same, with an adapter.
    ///
    /// @param adapter name of a loaded adapter; empty for the model itself
    /// @throws dev.mixtral.error.ModelNotFoundException if there is no adapter of that name
    public static Perplexity ofAnswers(Engine engine, String adapter, List<ChatJson.Request> conversations) {
        if (conversations.isEmpty()) {
            throw new InvalidRequestException(
                    "conversations", "there are no conversations, so there is nothing to predict");
        }
        InstructTemplate answers = InstructTemplate.of(engine.tokenizer());
        long start = System.nanoTime();
        double sum = 0;
        int numTokens = 0;
        for (int i = 0; i < conversations.size(); i++) {
            List<Message> messages = conversations.get(i).messages();
            if (messages.isEmpty() || !(messages.getLast() instanceof AssistantMessage answer)) {
                throw new InvalidRequestException(
                        "conversations[" + i + "]",
                        "conversation " + (i + 1) + " does not end with a message of the assistant");
            }
            int[] prompt = messages.size() == 1
                    ? new int[] {engine.tokenizer().bosId()}
                    : engine.chatTemplate()
                            .render(
                                    messages.subList(0, messages.size() - 1),
                                    conversations.get(i).tools())
                            .ids();
            int[] ids = answers.answer(answer);
            sum += negativeLogLikelihood(engine, adapter, prompt, ids);
            numTokens += ids.length;
        }
        return new Perplexity(numTokens, sum, (System.nanoTime() - start) / 1e9);
    }

    private static double negativeLogLikelihood(Engine engine, String adapter, int[] before, int[] ids) {
        int[] input = Arrays.copyOf(before, before.length + ids.length - 1);
        System.arraycopy(ids, 0, input, before.length, ids.length - 1);
        float[][] logits = engine.logits(input, true, adapter);
        double sum = 0;
        for (int i = 0; i < ids.length; i++) {
            float[] row = logits[before.length - 1 + i];
            sum += Sampler.logSumExp(row) - row[ids[i]];
        }
        return sum;
    }
}

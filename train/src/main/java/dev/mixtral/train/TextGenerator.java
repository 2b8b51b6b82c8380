package dev.mixtral.train;

import java.util.List;

/// Answers prompts greedily; what scores are measured through, so that the autograd model and the inference engine
/// can be scored alike.
@FunctionalInterface
public interface TextGenerator {
    /// Returns the ids that follow the prompt, at most `maxTokens`; EOS ends the answer and is not part of it.
    int[] generate(int[] prompt, int maxTokens);

    /// Same for several prompts, in their order.
    default List<int[]> generateAll(List<int[]> prompts, int maxTokens) {
        return prompts.stream().map(prompt -> generate(prompt, maxTokens)).toList();
    }
}

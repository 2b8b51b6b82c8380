package dev.mixtral.chat;

import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.Arrays;

/// Collects the ids of a prompt, and how they read. Confined to one thread.
final class PromptBuilder {
    private final Tokenizer tokenizer;
    private final StringBuilder text = new StringBuilder();
    private int[] ids = new int[256];
    private int numIds;

    PromptBuilder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /// Adds a token by its id.
    PromptBuilder id(int id) {
        append(id);
        text.append(tokenizer.piece(id));
        return this;
    }

    /// Adds a control token by its spelling.
    PromptBuilder control(String piece) {
        return id(tokenizer
                .controlId(piece)
                .orElseThrow(() -> new UnsupportedModelException("the vocabulary has no control token " + piece
                        + ", which this chat template needs; use the template of the vocabulary's own version, "
                        + tokenizer.version())));
    }

    /// Adds a text as a segment of its own: with a dummy leading space, and never as control tokens.
    PromptBuilder segment(String content) {
        if (!content.isEmpty()) {
            for (int id : tokenizer.encode(content)) {
                append(id);
            }
            text.append(' ').append(content);
        }
        return this;
    }

    int numIds() {
        return numIds;
    }

    ChatTemplate.Prompt build() {
        return new ChatTemplate.Prompt(Arrays.copyOf(ids, numIds), text.toString());
    }

    private void append(int id) {
        if (numIds == ids.length) {
            ids = Arrays.copyOf(ids, 2 * numIds);
        }
        ids[numIds++] = id;
    }
}

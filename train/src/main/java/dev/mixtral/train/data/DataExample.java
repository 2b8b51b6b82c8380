package dev.mixtral.train.data;

import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import java.util.List;
import java.util.Set;

/// One example to learn from. Immutable.
public sealed interface DataExample {
    /// Returns where it stands.
    Origin origin();

    /// A conversation that ends with the assistant's words.
    ///
    /// @param messages system messages first, if there are any; then users and assistants in turn, with results of
    ///     tools behind the calls of them
    /// @param tools the functions on offer
    /// @param muted indices of the assistant's messages that are not learned
    record Chat(Origin origin, List<Message> messages, List<ToolDefinition> tools, Set<Integer> muted)
            implements DataExample {
        public Chat {
            messages = List.copyOf(messages);
            tools = List.copyOf(tools);
            muted = Set.copyOf(muted);
        }
    }

    /// A text that is learned from its first word to its last.
    record Text(Origin origin, String text) implements DataExample {}
}

package dev.mixtral.chat;

import java.util.List;

/// A conversation in the shape that the instruct formats can express. Immutable.
///
/// @param systemPrompt all instructions as one text; empty if there are none
/// @param messages user, assistant and tool messages, the first from the user
/// @param continueFinal whether the last message, an assistant's, is left open for the model to go on with
record Conversation(String systemPrompt, List<Message> messages, boolean continueFinal) {
    Conversation {
        messages = List.copyOf(messages);
    }
}

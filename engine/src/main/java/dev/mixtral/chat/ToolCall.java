package dev.mixtral.chat;

import org.jspecify.annotations.Nullable;

/// A call of a tool by the model.
///
/// @param id the call's id, nine characters of `[a-zA-Z0-9]` in Mistral's v3 format; `null` if the format has none
/// @param name the tool's name
/// @param arguments JSON text
public record ToolCall(@Nullable String id, String name, String arguments) {
    /// What mistral-common writes for an id that is not there.
    static final String NO_ID = "null";
}

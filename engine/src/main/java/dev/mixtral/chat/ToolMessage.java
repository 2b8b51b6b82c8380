package dev.mixtral.chat;

import org.jspecify.annotations.Nullable;

/// The result of a tool call.
///
/// @param content what the tool returned, text or JSON
/// @param toolCallId the id of the call it answers, or `null`
/// @param name the tool's name, or `null`
public record ToolMessage(
        String content,
        @Nullable String toolCallId,
        @Nullable String name) implements Message {}

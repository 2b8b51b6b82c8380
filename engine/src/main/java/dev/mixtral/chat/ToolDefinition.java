package dev.mixtral.chat;

import tools.jackson.databind.JsonNode;

/// A function that the model may call.
///
/// @param name the function's name
/// @param description what it does; may be empty
/// @param parameters JSON schema of its arguments, keys in the order given
public record ToolDefinition(String name, String description, JsonNode parameters) {}

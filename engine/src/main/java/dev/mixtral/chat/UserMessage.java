package dev.mixtral.chat;

/// What the user says.
public record UserMessage(String content) implements Message {}

package dev.mixtral.chat;

/// Instructions that hold for the whole conversation.
public record SystemMessage(String content) implements Message {}

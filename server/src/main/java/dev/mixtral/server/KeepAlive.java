package dev.mixtral.server;

/// What is sent through an event stream that has nothing to say for a while, so that no proxy gives up on it.
public enum KeepAlive {
    /// A comment line, which every conforming reader of event streams skips.
    COMMENT,
    /// A chunk with an empty delta, for readers that choke on comments.
    CHUNK,
    /// Nothing.
    OFF
}

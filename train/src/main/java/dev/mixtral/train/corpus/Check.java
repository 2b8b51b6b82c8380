package dev.mixtral.train.corpus;

/// How an answer is compared with the expected one.
public enum Check {
    /// Many answers would do (stories, small talk); there is no score.
    NONE,
    /// The same text, white space at both ends aside.
    EXACT,
    /// The same JSON value; order of keys and white space do not count.
    JSON,
    /// The same last number; the steps before it do not count.
    NUMBER,
    /// Begins with the same 20 characters; used where the rest is free ("I am a very small model …").
    OPENING,
    /// The same tools called with the same arguments.
    TOOL_CALLS
}

package dev.mixtral.scheduler;

/// Where a request is.
public enum RequestStatus {
    /// It waits for its first turn.
    WAITING,
    /// It holds a place in the batch, and blocks.
    RUNNING,
    /// It had to give its blocks away, and waits to compute their contents again.
    PREEMPTED,
    /// It has ended, and holds nothing.
    FINISHED
}

package dev.mixtral.server;

import dev.mixtral.engine.Engine;

/// What is told about the server's work, for metrics and logs. Implementations are thread-safe and never block.
public interface ServerObserver {
    /// An observer that keeps nothing.
    ServerObserver NONE = new ServerObserver() {};

    /// A model is ready to be served.
    default void modelReady(String id, Engine engine) {}

    /// A request has been read up to the end of its headers.
    default void requestStarted(String requestId, String endpoint) {}

    /// A request has ended, in whatever way.
    default void requestEnded(RequestReport report) {}

    /// Returns the metrics in Prometheus' text format 0.0.4.
    default String metricsText() {
        return "";
    }
}

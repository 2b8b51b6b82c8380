package dev.mixtral.server;

import dev.mixtral.engine.Engine;

/// What is told about the server's work, for metrics and logs. Implementations are thread-safe and never block.
public interface ServerObserver {
    /// An observer that keeps nothing.
    ServerObserver NONE = new ServerObserver() {};

    /// Longest texts that are handed over.
    int MAX_CONTENT_BYTES = 1 << 16;

    /// A model is ready to be served.
    default void modelReady(String id, Engine engine) {}

    /// A request has been read up to the end of its headers.
    default void requestStarted(String requestId, String endpoint) {}

    /// A request has ended, in whatever way.
    default void requestEnded(RequestReport report) {}

    /// Returns whether [#content] is to be called, for which everything that is read and sent must be kept.
    default boolean wantsContent() {
        return false;
    }

    /// The texts of a request that has ended, each cut off after [#MAX_CONTENT_BYTES].
    ///
    /// @param request the body, decompressed; do not modify
    /// @param answer the answer's body as it was sent, all events of a stream; do not modify
    default void content(String requestId, byte[] request, byte[] answer) {}

    /// Returns the metrics in Prometheus' text format 0.0.4.
    default String metricsText() {
        return "";
    }
}

package dev.mixtral.server.api;

import java.util.Map;

/// One request, with its body, and the way back to its client. Used by one thread.
public interface Exchange {
    /// Returns the request up to its headers.
    RequestHead head();

    /// Returns the request's body, decompressed; empty if it has none.
    byte[] body();

    /// Sends a whole answer. Does nothing if the client has gone.
    ///
    /// @param headers besides those that every answer has
    void respond(int status, Map<String, String> headers, byte[] body);

    /// Sends the head of an event stream.
    ///
    /// @param headers besides those that every answer has
    EventStream startStream(Map<String, String> headers);

    /// Calls an action once if the client goes away before its answer is complete; at once if it has gone.
    void onGone(Runnable action);

    /// Returns whether the client has gone.
    boolean isGone();

    /// A stream of server-sent events.
    interface EventStream {
        /// Sends bytes now, and waits while the client does not read what was sent before.
        ///
        /// @throws ClientGoneException if the client went away or stopped reading
        void send(byte[] bytes);

        /// Ends the answer.
        void end();
    }
}

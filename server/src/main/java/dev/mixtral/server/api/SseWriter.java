package dev.mixtral.server.api;

import dev.mixtral.server.KeepAlive;
import dev.mixtral.server.api.Exchange.EventStream;
import dev.mixtral.server.wire.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Writes server-sent events, each at once. Confined to one thread.
///
/// Source: WHATWG HTML, "Server-sent events". Chat has `data:` lines only: old clients take an `id:` or an
/// `event:` for more than it is.
final class SseWriter {
    private static final byte[] COMMENT = utf8(": keep-alive\n\n");
    private static final byte[] DONE = utf8("data: [DONE]\n\n");
    private static final byte[] DATA = utf8("data: ");
    private static final byte[] END = utf8("\n\n");

    private final EventStream stream;
    private final KeepAlive keepAlive;

    SseWriter(EventStream stream, KeepAlive keepAlive) {
        this.stream = stream;
        this.keepAlive = keepAlive;
    }

    /// Sends an event.
    void event(ObjectNode data) {
        stream.send(framed(DATA, data));
    }

    /// Sends an event whose name is its `type`.
    void typedEvent(ObjectNode data) {
        stream.send(framed(utf8("event: " + data.path("type").asString("") + "\ndata: "), data));
    }

    /// Shows that the server lives, to a reader of named events.
    void comment() {
        if (keepAlive != KeepAlive.OFF) {
            stream.send(COMMENT);
        }
    }

    /// Sends an event, if there is one.
    void eventIfAny(@Nullable ObjectNode data) {
        if (data != null) {
            event(data);
        }
    }

    /// Shows that the server lives.
    ///
    /// @param nothing an event without content
    void keepAlive(ObjectNode nothing) {
        switch (keepAlive) {
            case COMMENT -> stream.send(COMMENT);
            case CHUNK -> event(nothing);
            case OFF -> {}
        }
    }

    /// Ends the stream well.
    void done() {
        stream.send(DONE);
        stream.end();
    }

    /// Ends the stream without a word.
    void end() {
        stream.end();
    }

    /// Ends the stream with an error.
    void fail(ObjectNode error) {
        event(error);
        stream.end();
    }

    private static byte[] framed(byte[] start, ObjectNode data) {
        byte[] json = Json.bytes(data);
        ByteArrayOutputStream out = new ByteArrayOutputStream(start.length + json.length + END.length);
        out.writeBytes(start);
        out.writeBytes(json);
        out.writeBytes(END);
        return out.toByteArray();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

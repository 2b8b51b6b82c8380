package dev.mixtral.server.api;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Map;

/// Keeps what is read and sent, up to a limit each, for logs of contents. Confined to the request's thread.
final class RecordingExchange implements Exchange {
    private final Exchange exchange;
    private final int maxBytes;
    private final ByteArrayOutputStream answer = new ByteArrayOutputStream();

    RecordingExchange(Exchange exchange, int maxBytes) {
        this.exchange = exchange;
        this.maxBytes = maxBytes;
    }

    /// Returns the beginning of the request's body.
    byte[] request() {
        byte[] body = exchange.body();
        return body.length <= maxBytes ? body : Arrays.copyOf(body, maxBytes);
    }

    /// Returns the beginning of what was sent.
    byte[] answer() {
        return answer.toByteArray();
    }

    private void keep(byte[] bytes) {
        answer.write(bytes, 0, Math.min(bytes.length, maxBytes - answer.size()));
    }

    @Override
    public RequestHead head() {
        return exchange.head();
    }

    @Override
    public byte[] body() {
        return exchange.body();
    }

    @Override
    public void respond(int status, Map<String, String> headers, byte[] body) {
        keep(body);
        exchange.respond(status, headers, body);
    }

    @Override
    public EventStream startStream(Map<String, String> headers) {
        EventStream stream = exchange.startStream(headers);
        return new EventStream() {
            @Override
            public void send(byte[] bytes) {
                keep(bytes);
                stream.send(bytes);
            }

            @Override
            public void end() {
                stream.end();
            }
        };
    }

    @Override
    public void onGone(Runnable action) {
        exchange.onGone(action);
    }

    @Override
    public boolean isGone() {
        return exchange.isGone();
    }
}

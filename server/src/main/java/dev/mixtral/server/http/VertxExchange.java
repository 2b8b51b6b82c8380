package dev.mixtral.server.http;

import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.ClientGoneException;
import dev.mixtral.server.api.Exchange;
import dev.mixtral.server.api.Prepared;
import dev.mixtral.server.api.RequestHead;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// A request of a Vert.x server. Its thread writes; the event loop reports what became of it.
final class VertxExchange implements Exchange {
    /// Bytes that may lie unsent before the writer waits.
    private static final int MAX_UNSENT = 64 << 10;

    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Prepared prepared;
    private final ServerConfig config;
    private final Context context;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Runnable> goneActions = new ArrayList<>();
    private volatile byte[] body = new byte[0];
    private volatile boolean gone;
    private boolean started;
    private long numUnsent;
    private Runnable onComplete = () -> {};

    /// Made on the event loop.
    VertxExchange(HttpServerRequest request, Prepared prepared, ServerConfig config, Vertx vertx) {
        this.request = request;
        this.response = request.response();
        this.prepared = prepared;
        this.config = config;
        this.context = vertx.getOrCreateContext();
        response.closeHandler(closed -> {
            if (!response.ended()) {
                lost();
            }
        });
        response.exceptionHandler(failure -> lost());
    }

    /// Sets the body, before the exchange is handed to the request's thread.
    void setBody(byte[] bytes) {
        body = bytes;
    }

    /// Sets what happens on the event loop when the answer has been sent.
    void onComplete(Runnable action) {
        onComplete = action;
    }

    private void lost() {
        List<Runnable> actions;
        lock.lock();
        try {
            if (gone) {
                return;
            }
            gone = true;
            actions = List.copyOf(goneActions);
            goneActions.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        actions.forEach(Runnable::run);
    }

    @Override
    public RequestHead head() {
        return prepared.head();
    }

    @Override
    public byte[] body() {
        return body;
    }

    @Override
    public boolean isGone() {
        return gone;
    }

    @Override
    public void onGone(Runnable action) {
        lock.lock();
        try {
            if (!gone) {
                goneActions.add(action);
                return;
            }
        } finally {
            lock.unlock();
        }
        action.run();
    }

    @Override
    public void respond(int status, Map<String, String> headers, byte[] bytes) {
        if (started) {
            // Half an answer cannot become an error: the client must see it cut off.
            context.runOnContext(ignored -> request.connection().close());
            return;
        }
        started = true;
        context.runOnContext(ignored -> {
            if (gone) {
                return;
            }
            putHead(status, headers);
            boolean hasBody = status != 204 && status != 304;
            if (hasBody) {
                response.putHeader("content-length", Integer.toString(bytes.length));
            }
            boolean sendsBody = hasBody && !request.method().equals(HttpMethod.HEAD);
            (sendsBody ? response.end(Buffer.buffer(bytes)) : response.end()).onComplete(result -> onComplete.run());
        });
    }

    private void putHead(int status, Map<String, String> headers) {
        response.setStatusCode(status);
        prepared.answerHeaders().forEach(response::putHeader);
        headers.forEach(response::putHeader);
    }

    @Override
    public EventStream startStream(Map<String, String> headers) {
        started = true;
        context.runOnContext(ignored -> {
            if (!gone) {
                putHead(200, headers);
                response.setChunked(true);
                response.writeHead();
            }
        });
        return new Stream();
    }

    private final class Stream implements EventStream {
        @Override
        public void send(byte[] bytes) {
            awaitRoom(bytes.length);
            context.runOnContext(ignored -> {
                if (gone) {
                    sent(bytes.length);
                } else {
                    response.write(Buffer.buffer(bytes)).onComplete(result -> sent(bytes.length));
                }
            });
        }

        @Override
        public void end() {
            context.runOnContext(ignored -> {
                if (!gone) {
                    response.end().onComplete(result -> onComplete.run());
                }
            });
        }
    }

    private void awaitRoom(int numBytes) {
        lock.lock();
        try {
            long nanos = config.stallTimeout().toNanos();
            while (!gone && numUnsent > MAX_UNSENT) {
                if (nanos <= 0) {
                    context.runOnContext(ignored -> request.connection().close());
                    throw new ClientGoneException();
                }
                nanos = changed.awaitNanos(nanos);
            }
            if (gone) {
                throw new ClientGoneException();
            }
            numUnsent += numBytes;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ClientGoneException();
        } finally {
            lock.unlock();
        }
    }

    private void sent(int numBytes) {
        lock.lock();
        try {
            numUnsent -= numBytes;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}

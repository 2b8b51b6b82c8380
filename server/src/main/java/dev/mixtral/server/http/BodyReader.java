package dev.mixtral.server.http;

import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.api.Prepared;
import dev.mixtral.server.wire.ApiError;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.time.Duration;
import java.util.function.Consumer;

/// Reads a request's body up to the limits of size and time. Confined to the event loop.
///
/// An answer that is settled before the body has come goes out at once; what the client still sends is thrown away for
/// a while, as a connection that is closed with unread bytes takes the answer with it.
final class BodyReader {
    private static final Duration LINGER = Duration.ofSeconds(5);
    private static final long MAX_DISCARDED = 256L << 20;

    private final HttpServerRequest request;
    private final VertxExchange exchange;
    private final ServerConfig config;
    private final Vertx vertx;
    private final Prepared prepared;
    private Buffer body = Buffer.buffer();
    private boolean settled;
    private boolean ended;
    private long numDiscarded;
    private long timer = -1;

    BodyReader(HttpServerRequest request, Prepared prepared, VertxExchange exchange, ServerConfig config, Vertx vertx) {
        this.request = request;
        this.prepared = prepared;
        this.exchange = exchange;
        this.config = config;
        this.vertx = vertx;
    }

    /// Reads the body, then hands the request on, as it was prepared or settled to be an error.
    void read(Consumer<Prepared> next) {
        request.exceptionHandler(failure -> clear());
        request.handler(chunk -> take(chunk, next));
        request.endHandler(done -> end(next));
        if (prepared.isSettled()) {
            settle(prepared, next);
        } else if (declaredLength() > config.maxBodyBytes()) {
            settle(prepared.withError(ApiError.tooLarge(config.maxBodyBytes())), next);
        } else {
            if ("100-continue".equalsIgnoreCase(request.getHeader("expect"))) {
                request.response().writeContinue();
            }
            timer = vertx.setTimer(config.bodyTimeout().toMillis(), id -> {
                timer = -1;
                settle(
                        prepared.withError(ApiError.timeout("The request's body did not arrive within "
                                + config.bodyTimeout().toSeconds() + " seconds.")),
                        next);
            });
        }
    }

    private long declaredLength() {
        String length = request.getHeader("content-length");
        return length == null || !length.matches("[0-9]{1,18}") ? 0 : Long.parseLong(length);
    }

    private void take(Buffer chunk, Consumer<Prepared> next) {
        if (settled) {
            numDiscarded += chunk.length();
            if (numDiscarded > MAX_DISCARDED) {
                request.connection().close();
            }
            return;
        }
        if ((long) body.length() + chunk.length() > config.maxBodyBytes()) {
            settle(prepared.withError(ApiError.tooLarge(config.maxBodyBytes())), next);
            return;
        }
        body.appendBuffer(chunk);
    }

    private void end(Consumer<Prepared> next) {
        ended = true;
        clear();
        if (!settled) {
            settled = true;
            exchange.setBody(body.getBytes());
            body = Buffer.buffer();
            next.accept(prepared);
        }
    }

    private void settle(Prepared decided, Consumer<Prepared> next) {
        if (settled) {
            return;
        }
        settled = true;
        clear();
        body = Buffer.buffer();
        next.accept(decided);
        if (!ended) {
            vertx.setTimer(LINGER.toMillis(), id -> {
                if (!ended) {
                    request.connection().close();
                }
            });
        }
    }

    private void clear() {
        if (timer >= 0) {
            vertx.cancelTimer(timer);
            timer = -1;
        }
    }
}

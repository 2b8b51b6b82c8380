package dev.mixtral.server.api;

import dev.mixtral.server.ApiKey;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.RequestReport;
import dev.mixtral.server.RequestReport.Generated;
import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.ErrorWriter;
import dev.mixtral.server.wire.Json;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A request while it is carried out, and what will be reported of it. Confined to the request's thread.
public final class Call {
    private static final int CLIENT_GONE = 499;
    private static final String JSON = "application/json";

    private final Prepared prepared;
    private final Exchange exchange;
    private final Map<String, String> addedHeaders = new HashMap<>();
    private String model = "";
    private int status;
    private boolean isStream;
    private @Nullable Generated generated;
    private @Nullable String errorMessage;

    Call(Prepared prepared, Exchange exchange) {
        this.prepared = prepared;
        this.exchange = exchange;
    }

    RequestHead head() {
        return prepared.head();
    }

    Dialect dialect() {
        return prepared.dialect();
    }

    /// Returns the request and the way back to its client.
    public Exchange exchange() {
        return exchange;
    }

    /// Gives the answer a header that it has whatever becomes of the request.
    void addHeader(String name, String value) {
        addedHeaders.put(name, value);
    }

    /// Returns the value of a name in the route's path.
    public String parameter(String name) {
        String value = prepared.parameters().get(name);
        if (value == null) {
            throw new IllegalArgumentException("the route has no parameter " + name);
        }
        return value;
    }

    /// Returns a header of the request, or `null` if there is none.
    public @Nullable String header(String name) {
        return head().header(name);
    }

    /// Returns the name of the key that was shown, or an empty text if none is needed.
    public String keyName() {
        ApiKey key = prepared.key();
        return key == null ? "" : key.name();
    }

    /// Returns a parameter of the query, or `null` if it is not there.
    public @Nullable String query(String name) {
        return prepared.query().get(name);
    }

    /// Returns the body as a JSON object.
    ///
    /// @throws ApiException if it is none
    public ObjectNode json() {
        return Json.parseObject(exchange.body());
    }

    /// Returns whom the request belongs to: the key's name, or else the client's address.
    String client() {
        ApiKey key = prepared.key();
        return key == null ? head().remote() : key.name();
    }

    /// Requires the client's key to be good for a model.
    ///
    /// @throws ApiException if it is not
    void requireAllowed(String modelId) {
        ApiKey key = prepared.key();
        if (key != null && !key.allows(modelId)) {
            throw new ApiException(ApiError.forbidden("Your API key may not use the model `" + modelId + "`."));
        }
    }

    /// Returns whether the client's key is good for a model.
    boolean isAllowed(String modelId) {
        ApiKey key = prepared.key();
        return key == null || key.allows(modelId);
    }

    /// Notes for the report which model answers.
    void usesModel(String id) {
        model = id;
    }

    /// Notes for the report what was generated.
    void generated(Generated what) {
        generated = what;
    }

    /// Sends a JSON answer.
    public void respond(int answerStatus, JsonNode body) {
        respond(answerStatus, Map.of("content-type", JSON), Json.bytes(body));
    }

    /// Sends an answer.
    public void respond(int answerStatus, Map<String, String> headers, byte[] body) {
        status = answerStatus;
        exchange.respond(answerStatus, withTime(headers), body);
    }

    /// Sends an error.
    void respond(ApiError error) {
        errorMessage = error.message();
        Map<String, String> headers = new HashMap<>(errorHeaders(error));
        headers.put("content-type", JSON);
        respond(error.status(), headers, Json.bytes(ErrorWriter.body(error, dialect())));
    }

    /// Starts an event stream.
    Exchange.EventStream startStream() {
        status = 200;
        isStream = true;
        return exchange.startStream(withTime(Map.of(
                "content-type", "text/event-stream; charset=utf-8",
                "cache-control", "no-cache",
                "x-accel-buffering", "no")));
    }

    /// Returns whether the head of an answer has been sent.
    boolean hasResponded() {
        return status != 0;
    }

    /// Notes for the report that a running answer failed.
    void failed(String message) {
        errorMessage = message;
    }

    private Map<String, String> withTime(Map<String, String> headers) {
        Map<String, String> all = new HashMap<>(addedHeaders);
        all.putAll(headers);
        all.put("openai-processing-ms", Long.toString((System.nanoTime() - head().startNanos()) / 1_000_000));
        return all;
    }

    /// Returns the headers that an error needs besides its body.
    static Map<String, String> errorHeaders(ApiError error) {
        Map<String, String> headers = new HashMap<>();
        if (error.status() == 401) {
            headers.put("www-authenticate", "Bearer");
        }
        if (error.retryAfterSeconds() > 0) {
            headers.put("retry-after", Integer.toString(error.retryAfterSeconds()));
            headers.put("retry-after-ms", Long.toString(error.retryAfterSeconds() * 1000L));
        }
        if (error.status() == 500) {
            // What failed once for no outside reason fails again.
            headers.put("x-should-retry", "false");
        }
        return headers;
    }

    /// Returns the report of the ended call.
    RequestReport report() {
        ApiKey key = prepared.key();
        return new RequestReport(
                head().id(),
                head().method(),
                prepared.endpoint(),
                exchange.isGone() || status == 0 ? CLIENT_GONE : status,
                model,
                key == null ? "" : key.name(),
                isStream,
                System.nanoTime() - head().startNanos(),
                generated,
                errorMessage);
    }
}

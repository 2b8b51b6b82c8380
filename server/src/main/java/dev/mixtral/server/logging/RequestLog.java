package dev.mixtral.server.logging;

import dev.mixtral.error.Excerpt;
import dev.mixtral.server.RequestReport;
import dev.mixtral.server.RequestReport.Generated;
import dev.mixtral.server.ServerObserver;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Logs every request when it ends: who, what, how it ended, tokens and times; never a key, and texts only if asked
/// for.
/// Thread-safe.
public final class RequestLog implements ServerObserver {
    /// What orchestrators and scrapers ask every few seconds, logged only from `debug` on.
    private static final Set<String> QUIET_ENDPOINTS = Set.of("/health", "/healthz", "/livez", "/readyz", "/metrics");

    private static final int FIRST_SERVER_ERROR = 500;
    private static final String LOGGER = "dev.mixtral.server.requests";

    /// Messages of errors may quote what the client sent.
    private static final int MAX_ERROR_LENGTH = 200;

    private final Logger logger = Logger.getLogger(LOGGER);
    private final boolean withContent;

    /// @param withContent whether the bodies of requests and answers are logged too
    public RequestLog(boolean withContent) {
        this.withContent = withContent;
    }

    @Override
    public void requestEnded(RequestReport report) {
        Level level = level(report);
        if (logger.isLoggable(level)) {
            FieldRecord entry = new FieldRecord(
                    level, report.method() + " " + report.endpoint() + " " + report.status(), fields(report));
            entry.setLoggerName(LOGGER);
            logger.log(entry);
        }
    }

    private static Level level(RequestReport report) {
        if (report.status() >= FIRST_SERVER_ERROR) {
            return Level.WARNING;
        }
        return QUIET_ENDPOINTS.contains(report.endpoint()) ? Level.FINE : Level.INFO;
    }

    private static Map<String, Object> fields(RequestReport report) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("request_id", report.requestId());
        fields.put("method", report.method());
        fields.put("route", report.endpoint());
        fields.put("status", report.status());
        putIfAny(fields, "model", report.model());
        putIfAny(fields, "client", report.client());
        fields.put("stream", report.isStream());
        fields.put("duration_ms", millis(report.durationNanos()));
        if (report.generation() != null) {
            putGenerated(fields, report.generation());
        }
        putIfAny(fields, "error", shortened(report.error()));
        return fields;
    }

    private static @Nullable String shortened(@Nullable String message) {
        return message == null ? null : Excerpt.of(message, MAX_ERROR_LENGTH);
    }

    @Override
    public boolean wantsContent() {
        return withContent;
    }

    @Override
    public void content(String requestId, byte[] request, byte[] answer) {
        if (request.length == 0) {
            return;
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("request_id", requestId);
        fields.put("request", new String(request, StandardCharsets.UTF_8));
        fields.put("answer", new String(answer, StandardCharsets.UTF_8));
        FieldRecord entry = new FieldRecord(Level.INFO, "content", fields);
        entry.setLoggerName(LOGGER);
        logger.log(entry);
    }

    private static void putGenerated(Map<String, Object> fields, Generated generated) {
        fields.put("prompt_tokens", generated.numPromptTokens());
        fields.put("cached_tokens", generated.numCachedTokens());
        fields.put("generated_tokens", generated.numGeneratedTokens());
        fields.put("queue_ms", millis(generated.queueNanos()));
        fields.put("ttft_ms", millis(generated.ttftNanos()));
        fields.put("tpot_ms", millis(generated.tpotNanos()));
        fields.put("finish_reason", String.join(",", generated.finishReasons()));
    }

    private static void putIfAny(Map<String, Object> fields, String name, @Nullable String value) {
        if (value != null && !value.isEmpty()) {
            fields.put(name, value);
        }
    }

    /// Returns milliseconds with three digits behind the point.
    private static double millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMicros(nanos) / 1000.0;
    }
}

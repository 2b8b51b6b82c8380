package dev.mixtral.server.api;

import dev.mixtral.server.Dialect;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Finds out which dialect a client speaks.
final class Dialects {
    private static final double MISTRAL_TEMPERATURE = 0.7;

    private Dialects() {}

    /// @param segments the request's path
    /// @param fallback where nothing tells
    static Dialect of(RequestHead head, List<String> segments, Dialect fallback) {
        String chosen = head.headerOrEmpty("x-api-dialect").strip();
        for (Dialect dialect : Dialect.values()) {
            if (dialect.name().equalsIgnoreCase(chosen)) {
                return dialect;
            }
        }
        if (segments.size() >= 2 && segments.subList(0, 2).equals(Arrays.asList("api", "v1"))) {
            return Dialect.OPENROUTER;
        }
        return isMistral(head.headerOrEmpty("user-agent")) || isMistral(head.headerOrEmpty("x-mistral-user-agent"))
                ? Dialect.MISTRAL
                : fallback;
    }

    private static boolean isMistral(String agent) {
        return agent.toLowerCase(Locale.ROOT).contains("mistral");
    }

    /// Returns the temperature of a request that names none.
    ///
    /// Mistral's is the model's own. The AI SDK names itself on streams only, and a stream must not differ from an
    /// answer in one piece.
    static double defaultTemperature(Dialect dialect, RequestHead head) {
        boolean tells =
                !head.headerOrEmpty("user-agent").toLowerCase(Locale.ROOT).contains("ai-sdk/");
        return dialect == Dialect.MISTRAL && tells ? MISTRAL_TEMPERATURE : 1;
    }
}

package dev.mixtral.server.config;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.server.ServerConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Turns a configuration into the records that the server runs on.
public final class Settings {
    private Settings() {}

    /// Returns the settings of the server.
    ///
    /// @param embedded the model that is served if none is named
    /// @throws ConfigException if settings contradict each other, or keys or models are malformed
    public static ServerConfig server(Configuration from, Path embedded) {
        if (from.get(ConfigKeys.LOG_CONTENT) && !from.get(ConfigKeys.LOG_REQUESTS)) {
            throw new ConfigException(from.source(ConfigKeys.LOG_CONTENT) + ": log-content needs log-requests");
        }
        try {
            return limits(from, ServerConfig.builder())
                    .host(from.get(ConfigKeys.HOST))
                    .port(from.get(ConfigKeys.PORT))
                    .models(ModelSpecs.of(from, embedded))
                    .engine(engine(from))
                    .apiKeys(ApiKeys.of(from))
                    .protectMetrics(from.get(ConfigKeys.PROTECT_METRICS))
                    .allowRuntimeLoraUpdating(from.get(ConfigKeys.ALLOW_RUNTIME_LORA_UPDATING))
                    .dialect(from.get(ConfigKeys.DIALECT))
                    .corsOrigin(corsOrigin(from.get(ConfigKeys.CORS_ORIGIN)))
                    .keepAlive(from.get(ConfigKeys.STREAM_KEEP_ALIVE))
                    .keepAliveInterval(from.get(ConfigKeys.STREAM_KEEP_ALIVE_SECONDS))
                    .streamStartDelay(from.get(ConfigKeys.STREAM_START_DELAY_SECONDS))
                    .dataDir(from.get(ConfigKeys.DATA_DIR))
                    .providerSlug(from.get(ConfigKeys.PROVIDER_SLUG))
                    .build();
        } catch (IllegalArgumentException e) {
            throw new ConfigException("configuration: " + e.getMessage());
        }
    }

    private static ServerConfig.Builder limits(Configuration from, ServerConfig.Builder builder) {
        return builder.maxBodyBytes(from.get(ConfigKeys.MAX_BODY_BYTES))
                .maxHeaderBytes(from.get(ConfigKeys.MAX_HEADER_BYTES))
                .maxRequestLineBytes(from.get(ConfigKeys.MAX_REQUEST_LINE_BYTES))
                .maxConnections(from.get(ConfigKeys.MAX_CONNECTIONS))
                .maxChoices(from.get(ConfigKeys.MAX_CHOICES))
                .maxRequestsPerKey(from.get(ConfigKeys.MAX_REQUESTS_PER_KEY))
                .headerTimeout(from.get(ConfigKeys.HEADER_TIMEOUT_SECONDS))
                .bodyTimeout(from.get(ConfigKeys.BODY_TIMEOUT_SECONDS))
                .idleTimeout(from.get(ConfigKeys.IDLE_TIMEOUT_SECONDS))
                .stallTimeout(from.get(ConfigKeys.STALL_TIMEOUT_SECONDS))
                .shutdownGrace(from.get(ConfigKeys.DRAIN_TIMEOUT_SECONDS));
    }

    private static String corsOrigin(String text) {
        return text.equals("none") ? "" : text;
    }

    private static EngineConfig engine(Configuration from) {
        return EngineConfig.defaults()
                .withNumThreads(from.get(ConfigKeys.THREADS))
                .withKernels(from.get(ConfigKeys.KERNELS))
                .withContextLength(from.get(ConfigKeys.CONTEXT_TOKENS))
                .withKvType(kvType(from.get(ConfigKeys.KV_CACHE_TYPE)))
                .withExact(from.get(ConfigKeys.EXACT))
                .withMaxNumSeqs(from.get(ConfigKeys.MAX_NUM_SEQS))
                .withMaxNumBatchedTokens(from.get(ConfigKeys.MAX_NUM_BATCHED_TOKENS))
                .withKvCacheTokens(from.get(ConfigKeys.KV_CACHE_TOKENS))
                .withPrefixCache(from.get(ConfigKeys.PREFIX_CACHE))
                .withMaxWaiting(from.get(ConfigKeys.MAX_WAITING))
                .withQueueTimeout(from.get(ConfigKeys.QUEUE_TIMEOUT_SECONDS))
                .withStallTimeout(from.get(ConfigKeys.STALL_TIMEOUT_SECONDS));
    }

    /// Types of KV caches, and one word for none in particular.
    static ValueType<String> kvTypes(String none) {
        Stream<String> types = Arrays.stream(KvType.values()).map(Settings::word);
        return ValueType.choice(
                none + " or a type of KV cache, such as f16",
                Stream.concat(Stream.of(none), types).toList());
    }

    private static @Nullable KvType kvType(String word) {
        return Arrays.stream(KvType.values())
                .filter(type -> word(type).equals(word))
                .findFirst()
                .orElse(null);
    }

    private static String word(KvType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }
}

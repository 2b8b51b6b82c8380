package dev.mixtral.server;

import dev.mixtral.engine.EngineConfig;
import java.time.Duration;
import java.util.List;

/// Everything that can be set about the server. Immutable; made with [#builder()], whose defaults each component names.
///
/// @param host address to listen on (default: 127.0.0.1)
/// @param port port to listen on; 0 for any free one (default: 8080)
/// @param models what to serve, the first being the default where a request may leave the model out (default: none)
/// @param engine how each model runs (default: the engine's own)
/// @param apiKeys keys that are accepted; empty accepts everybody (default: none)
/// @param protectMetrics whether `/metrics` asks for a key too (default: false)
/// @param dialect the dialect below `/v1` where nothing in a request tells (default: openai)
/// @param corsOrigin value of `Access-Control-Allow-Origin`; empty for no CORS headers (default: *)
/// @param keepAlive what idle streams carry (default: comment)
/// @param keepAliveInterval silence after which a stream carries a keep-alive (default: 15 s)
/// @param streamStartDelay time a queued stream waits for its slot before the answer's head is sent (default: 2 s)
/// @param maxBodyBytes largest request body, also after decompression (default: 32 MiB)
/// @param maxHeaderBytes largest sum of a request's header lines (default: 32 KiB)
/// @param maxRequestLineBytes longest request line (default: 8 KiB)
/// @param maxConnections connections open at once; further ones are closed (default: 4096)
/// @param maxChoices largest `n` (default: 128)
/// @param maxRequestsPerKey requests of one key that generate at once; 0 for no limit (default: 0)
/// @param headerTimeout time from a request's first byte to the end of its headers (default: 15 s)
/// @param bodyTimeout time for a request's body (default: 120 s)
/// @param idleTimeout time that an idle connection is kept (default: 120 s)
/// @param stallTimeout time that a client may leave its answer unread (default: 60 s)
/// @param shutdownGrace time that running requests have to end when the server stops (default: 30 s)
/// @param dataDir folder for files and batches; empty for none, and then neither endpoints (default: none)
/// @param allowRuntimeLoraUpdating whether clients may load and unload adapters (default: false)
/// @param providerSlug this server's name among OpenRouter's providers (default: self)
public record ServerConfig(
        String host,
        int port,
        List<ModelSpec> models,
        EngineConfig engine,
        List<ApiKey> apiKeys,
        boolean protectMetrics,
        Dialect dialect,
        String corsOrigin,
        KeepAlive keepAlive,
        Duration keepAliveInterval,
        Duration streamStartDelay,
        int maxBodyBytes,
        int maxHeaderBytes,
        int maxRequestLineBytes,
        int maxConnections,
        int maxChoices,
        int maxRequestsPerKey,
        Duration headerTimeout,
        Duration bodyTimeout,
        Duration idleTimeout,
        Duration stallTimeout,
        Duration shutdownGrace,
        String dataDir,
        boolean allowRuntimeLoraUpdating,
        String providerSlug) {

    /// Checks the ranges.
    ///
    /// @throws IllegalArgumentException naming the setting that is out of range
    public ServerConfig {
        range("port", port, 0, 65535);
        positive("keepAliveInterval", keepAliveInterval);
        range("maxBodyBytes", maxBodyBytes, 1, Integer.MAX_VALUE);
        range("maxHeaderBytes", maxHeaderBytes, 1, Integer.MAX_VALUE);
        range("maxRequestLineBytes", maxRequestLineBytes, 1, Integer.MAX_VALUE);
        range("maxConnections", maxConnections, 1, Integer.MAX_VALUE);
        range("maxChoices", maxChoices, 1, 128);
        range("maxRequestsPerKey", maxRequestsPerKey, 0, Integer.MAX_VALUE);
        positive("headerTimeout", headerTimeout);
        positive("bodyTimeout", bodyTimeout);
        positive("idleTimeout", idleTimeout);
        positive("stallTimeout", stallTimeout);
        models = List.copyOf(models);
        apiKeys = List.copyOf(apiKeys);
    }

    private static void range(String setting, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(setting + " must be between " + min + " and " + max + ", got " + value);
        }
    }

    private static void positive(String setting, Duration value) {
        if (!value.isPositive()) {
            throw new IllegalArgumentException(setting + " must be a positive time, got " + value);
        }
    }

    /// Returns a builder with the defaults.
    public static Builder builder() {
        return new Builder();
    }

    /// Returns a builder with these settings.
    public Builder toBuilder() {
        Builder copy = new Builder();
        copy.host = host;
        copy.port = port;
        copy.models = models;
        copy.engine = engine;
        copy.apiKeys = apiKeys;
        copy.protectMetrics = protectMetrics;
        copy.dialect = dialect;
        copy.corsOrigin = corsOrigin;
        copy.keepAlive = keepAlive;
        copy.keepAliveInterval = keepAliveInterval;
        copy.streamStartDelay = streamStartDelay;
        copy.maxBodyBytes = maxBodyBytes;
        copy.maxHeaderBytes = maxHeaderBytes;
        copy.maxRequestLineBytes = maxRequestLineBytes;
        copy.maxConnections = maxConnections;
        copy.maxChoices = maxChoices;
        copy.maxRequestsPerKey = maxRequestsPerKey;
        copy.headerTimeout = headerTimeout;
        copy.bodyTimeout = bodyTimeout;
        copy.idleTimeout = idleTimeout;
        copy.stallTimeout = stallTimeout;
        copy.shutdownGrace = shutdownGrace;
        copy.dataDir = dataDir;
        copy.allowRuntimeLoraUpdating = allowRuntimeLoraUpdating;
        copy.providerSlug = providerSlug;
        return copy;
    }

    /// Collects settings; every method sets the one of its name.
    public static final class Builder {
        private String host = "127.0.0.1";
        private int port = 8080;
        private List<ModelSpec> models = List.of();
        private EngineConfig engine = EngineConfig.defaults();
        private List<ApiKey> apiKeys = List.of();
        private boolean protectMetrics;
        private Dialect dialect = Dialect.OPENAI;
        private String corsOrigin = "*";
        private KeepAlive keepAlive = KeepAlive.COMMENT;
        private Duration keepAliveInterval = Duration.ofSeconds(15);
        private Duration streamStartDelay = Duration.ofSeconds(2);
        private int maxBodyBytes = 32 << 20;
        private int maxHeaderBytes = 32 << 10;
        private int maxRequestLineBytes = 8 << 10;
        private int maxConnections = 4096;
        private int maxChoices = 128;
        private int maxRequestsPerKey;
        private Duration headerTimeout = Duration.ofSeconds(15);
        private Duration bodyTimeout = Duration.ofMinutes(2);
        private Duration idleTimeout = Duration.ofMinutes(2);
        private Duration stallTimeout = Duration.ofMinutes(1);
        private Duration shutdownGrace = Duration.ofSeconds(30);
        private String dataDir = "";
        private boolean allowRuntimeLoraUpdating;
        private String providerSlug = "self";

        private Builder() {}

        /// See [ServerConfig#host()].
        public Builder host(String value) {
            host = value;
            return this;
        }

        /// See [ServerConfig#port()].
        public Builder port(int value) {
            port = value;
            return this;
        }

        /// See [ServerConfig#models()].
        public Builder models(List<ModelSpec> value) {
            models = value;
            return this;
        }

        /// See [ServerConfig#engine()].
        public Builder engine(EngineConfig value) {
            engine = value;
            return this;
        }

        /// See [ServerConfig#apiKeys()].
        public Builder apiKeys(List<ApiKey> value) {
            apiKeys = value;
            return this;
        }

        /// See [ServerConfig#protectMetrics()].
        public Builder protectMetrics(boolean value) {
            protectMetrics = value;
            return this;
        }

        /// See [ServerConfig#dialect()].
        public Builder dialect(Dialect value) {
            dialect = value;
            return this;
        }

        /// See [ServerConfig#corsOrigin()].
        public Builder corsOrigin(String value) {
            corsOrigin = value;
            return this;
        }

        /// See [ServerConfig#keepAlive()].
        public Builder keepAlive(KeepAlive value) {
            keepAlive = value;
            return this;
        }

        /// See [ServerConfig#keepAliveInterval()].
        public Builder keepAliveInterval(Duration value) {
            keepAliveInterval = value;
            return this;
        }

        /// See [ServerConfig#streamStartDelay()].
        public Builder streamStartDelay(Duration value) {
            streamStartDelay = value;
            return this;
        }

        /// See [ServerConfig#maxBodyBytes()].
        public Builder maxBodyBytes(int value) {
            maxBodyBytes = value;
            return this;
        }

        /// See [ServerConfig#maxHeaderBytes()].
        public Builder maxHeaderBytes(int value) {
            maxHeaderBytes = value;
            return this;
        }

        /// See [ServerConfig#maxRequestLineBytes()].
        public Builder maxRequestLineBytes(int value) {
            maxRequestLineBytes = value;
            return this;
        }

        /// See [ServerConfig#maxConnections()].
        public Builder maxConnections(int value) {
            maxConnections = value;
            return this;
        }

        /// See [ServerConfig#maxChoices()].
        public Builder maxChoices(int value) {
            maxChoices = value;
            return this;
        }

        /// See [ServerConfig#maxRequestsPerKey()].
        public Builder maxRequestsPerKey(int value) {
            maxRequestsPerKey = value;
            return this;
        }

        /// See [ServerConfig#headerTimeout()].
        public Builder headerTimeout(Duration value) {
            headerTimeout = value;
            return this;
        }

        /// See [ServerConfig#bodyTimeout()].
        public Builder bodyTimeout(Duration value) {
            bodyTimeout = value;
            return this;
        }

        /// See [ServerConfig#idleTimeout()].
        public Builder idleTimeout(Duration value) {
            idleTimeout = value;
            return this;
        }

        /// See [ServerConfig#stallTimeout()].
        public Builder stallTimeout(Duration value) {
            stallTimeout = value;
            return this;
        }

        /// See [ServerConfig#shutdownGrace()].
        public Builder shutdownGrace(Duration value) {
            shutdownGrace = value;
            return this;
        }

        /// See [ServerConfig#dataDir()].
        public Builder dataDir(String value) {
            dataDir = value;
            return this;
        }

        /// See [ServerConfig#allowRuntimeLoraUpdating()].
        public Builder allowRuntimeLoraUpdating(boolean value) {
            allowRuntimeLoraUpdating = value;
            return this;
        }

        /// See [ServerConfig#providerSlug()].
        public Builder providerSlug(String value) {
            providerSlug = value;
            return this;
        }

        /// Makes the settings.
        ///
        /// @throws IllegalArgumentException naming the setting that is out of range
        public ServerConfig build() {
            return new ServerConfig(
                    host,
                    port,
                    models,
                    engine,
                    apiKeys,
                    protectMetrics,
                    dialect,
                    corsOrigin,
                    keepAlive,
                    keepAliveInterval,
                    streamStartDelay,
                    maxBodyBytes,
                    maxHeaderBytes,
                    maxRequestLineBytes,
                    maxConnections,
                    maxChoices,
                    maxRequestsPerKey,
                    headerTimeout,
                    bodyTimeout,
                    idleTimeout,
                    stallTimeout,
                    shutdownGrace,
                    dataDir,
                    allowRuntimeLoraUpdating,
                    providerSlug);
        }
    }
}

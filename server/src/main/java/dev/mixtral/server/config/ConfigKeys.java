package dev.mixtral.server.config;

import dev.mixtral.engine.EngineConfig;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.KeepAlive;
import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.config.ConfigKey.Section;
import dev.mixtral.server.logging.LogFormat;
import dev.mixtral.server.logging.LogLevel;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Everything that can be set. The defaults are those of the records that the values end up in.
public final class ConfigKeys {
    private static final ServerConfig SERVER = ServerConfig.builder().build();
    private static final EngineConfig ENGINE = EngineConfig.defaults();
    private static final int ANY = Integer.MAX_VALUE;
    private static final String AUTO = "auto";

    /// Address to listen on.
    public static final ConfigKey<String> HOST = key(
            "host",
            Section.SERVER,
            ValueType.text("a host name or an address"),
            SERVER.host(),
            "Address to listen on. `0.0.0.0` accepts connections from other machines: set keys first.");

    /// Port to listen on.
    public static final ConfigKey<Integer> PORT = key(
            "port",
            Section.SERVER,
            ValueType.integer(0, 65535),
            SERVER.port(),
            "Port to listen on; 0 for any free one.");

    /// Models to serve.
    public static final ConfigKey<List<String>> MODELS = key(
            "models",
            Section.SERVER,
            ValueType.list("paths, each with ID= before it or without"),
            List.of(),
            "What to serve: GGUF files or checkpoint folders, as `PATH` or `ID=PATH`; the id is what clients call it,"
                    + " the file's name if there is none. The first is the default. Empty: the embedded model.");

    /// Further names of the models.
    public static final ConfigKey<List<String>> MODEL_ALIASES = key(
            "model-aliases",
            Section.SERVER,
            ValueType.list("names, each with =ID after it or without"),
            List.of(),
            "Further names for models, as `NAME=ID`, or `NAME` for the first model. `*` accepts any name.");

    /// Adapters to serve.
    public static final ConfigKey<List<String>> LORA = key(
            "lora",
            Section.SERVER,
            ValueType.list("adapters, as NAME=PATH or MODEL:NAME=PATH"),
            List.of(),
            "Adapters to serve beside a model: PEFT folders or GGUF adapters, as `NAME=PATH` for the first model, or"
                    + " `MODEL:NAME=PATH`. Clients call each `MODEL:NAME`, or `NAME`.");

    /// Dialect where nothing in a request tells.
    public static final ConfigKey<Dialect> DIALECT = key(
            "dialect",
            Section.SERVER,
            ValueType.choice(Dialect.class),
            SERVER.dialect(),
            "Form of answers below `/v1` where nothing in a request tells.");

    /// What idle streams carry.
    public static final ConfigKey<KeepAlive> STREAM_KEEP_ALIVE = key(
            "stream-keep-alive",
            Section.SERVER,
            ValueType.choice(KeepAlive.class),
            SERVER.keepAlive(),
            "What idle streams carry, so that no proxy gives up on them: a comment line, a chunk with an empty delta"
                    + " for clients that choke on comments, or nothing.");

    /// Silence before a keep-alive.
    public static final ConfigKey<Duration> STREAM_KEEP_ALIVE_SECONDS = key(
            "stream-keep-alive-seconds",
            Section.SERVER,
            ValueType.seconds(false),
            SERVER.keepAliveInterval(),
            "Silence after which a stream carries a keep-alive.");

    /// Wait before a queued stream's head.
    public static final ConfigKey<Duration> STREAM_START_DELAY_SECONDS = key(
            "stream-start-delay-seconds",
            Section.SERVER,
            ValueType.seconds(true),
            SERVER.streamStartDelay(),
            "Time a stream waits in the queue before its head is sent; until then it can still end with a proper"
                    + " HTTP error.");

    /// Name among OpenRouter's providers.
    public static final ConfigKey<String> PROVIDER_SLUG = key(
            "provider-slug",
            Section.SERVER,
            ValueType.text("a name"),
            SERVER.providerSlug(),
            "This server's name among OpenRouter's providers.");

    /// Folder for files and batches.
    public static final ConfigKey<String> DATA_DIR = key(
            "data-dir",
            Section.SERVER,
            ValueType.text("a path"),
            SERVER.dataDir(),
            "Folder that keeps the files and batches of `/v1/files` and `/v1/batches`; without one, both are off.");

    /// Keys, or none.
    public static final ConfigKey<List<String>> API_KEYS = new ConfigKey<>(
            "api-keys",
            Section.ACCESS,
            ValueType.list("keys, as SECRET or NAME SECRET [MODEL...]"),
            List.of(),
            true,
            "Keys that are accepted, as `SECRET`, or `NAME SECRET [MODEL…]` to call its owner by name in logs, and to"
                    + " allow only some models. Without any key, everybody may use the server.");

    /// File with keys.
    public static final ConfigKey<String> API_KEYS_FILE = key(
            "api-keys-file",
            Section.ACCESS,
            ValueType.text("a path"),
            "",
            "File with further keys, one a line in the same form; `#` begins a comment.");

    /// Whether metrics need a key.
    public static final ConfigKey<Boolean> PROTECT_METRICS = key(
            "protect-metrics",
            Section.ACCESS,
            ValueType.bool(),
            SERVER.protectMetrics(),
            "Whether `/metrics` asks for a key too.");

    /// Whether adapters may be loaded by requests.
    public static final ConfigKey<Boolean> ALLOW_RUNTIME_LORA_UPDATING = key(
            "allow-runtime-lora-updating",
            Section.ACCESS,
            ValueType.bool(),
            SERVER.allowRuntimeLoraUpdating(),
            "Whether clients may load adapters from paths on the server, and unload them: `/v1/load_lora_adapter` and"
                    + " `/v1/unload_lora_adapter`. Only for clients that are trusted.");

    /// Origins that browsers may call from.
    public static final ConfigKey<String> CORS_ORIGIN = key(
            "cors-origin",
            Section.ACCESS,
            ValueType.text("*, none, or an origin such as https://example.org"),
            SERVER.corsOrigin(),
            "Web origin that may call the server from a browser; `*` for any, `none` for none.");

    /// Compute threads.
    public static final ConfigKey<Integer> THREADS = key(
            "threads",
            Section.ENGINE,
            ValueType.integer(0, ANY),
            ENGINE.numThreads(),
            "Compute threads; 0 for one per processor.");

    /// Kernels.
    public static final ConfigKey<String> KERNELS = key(
            "kernels",
            Section.ENGINE,
            ValueType.text("the name of kernels"),
            ENGINE.kernels(),
            "`native`, `native:amx`, `native:avx512`, `native:avx2`, `vector`, `scalar`, or `auto` for the fastest that"
                    + " runs here.");

    /// Context length.
    public static final ConfigKey<Integer> CONTEXT_TOKENS = key(
            "context-tokens",
            Section.ENGINE,
            ValueType.integer(0, ANY),
            ENGINE.contextLength(),
            "Positions a sequence may have; 0 for as many as the model was trained for.");

    /// Type of the KV cache.
    public static final ConfigKey<String> KV_CACHE_TYPE = key(
            "kv-cache-type",
            Section.ENGINE,
            Settings.kvTypes(AUTO),
            AUTO,
            "How keys and values are stored: `f32`, `f16`, `q8_0`, or `auto` for f32 where a full context takes at most"
                    + " 512 MiB, else f16.");

    /// Exact products.
    public static final ConfigKey<Boolean> EXACT = key(
            "exact",
            Section.ENGINE,
            ValueType.bool(),
            ENGINE.exact(),
            "Compute with 32-bit activations on weights as stored: slower, and closer to the last digit.");

    /// Sequences at once.
    public static final ConfigKey<Integer> MAX_NUM_SEQS = key(
            "max-num-seqs",
            Section.ENGINE,
            ValueType.integer(1, ANY),
            ENGINE.maxNumSeqs(),
            "Sequences that are computed at once.");

    /// Rows of one forward pass.
    public static final ConfigKey<Integer> MAX_NUM_BATCHED_TOKENS = key(
            "max-num-batched-tokens",
            Section.ENGINE,
            ValueType.integer(1, ANY),
            ENGINE.maxNumBatchedTokens(),
            "Tokens of one forward pass: longer prompts are computed in pieces. Fewer make running streams smoother,"
                    + " more make prompts faster.");

    /// Size of the KV cache.
    public static final ConfigKey<Integer> KV_CACHE_TOKENS = key(
            "kv-cache-tokens",
            Section.ENGINE,
            ValueType.integer(0, ANY),
            ENGINE.kvCacheTokens(),
            "Positions that all sequences and the prefix cache share; 0 for what memory allows.");

    /// Prefix cache.
    public static final ConfigKey<Boolean> PREFIX_CACHE = key(
            "prefix-cache",
            Section.ENGINE,
            ValueType.bool(),
            ENGINE.prefixCache(),
            "Keep keys and values of ended sequences for prompts that begin like them.");

    /// Length of the queue.
    public static final ConfigKey<Integer> MAX_WAITING = limit(
            "max-waiting",
            ValueType.integer(0, ANY),
            ENGINE.maxWaiting(),
            "Requests that may wait for their turn beside those that run; more are refused with status 429.");

    /// Time in the queue.
    public static final ConfigKey<Duration> QUEUE_TIMEOUT_SECONDS = limit(
            "queue-timeout-seconds",
            ValueType.seconds(true),
            ENGINE.queueTimeout(),
            "Time that a request may wait for its turn before it ends with status 503; 0 for ever.");

    /// Largest body.
    public static final ConfigKey<Integer> MAX_BODY_BYTES = limit(
            "max-body-bytes",
            ValueType.integer(1, ANY),
            SERVER.maxBodyBytes(),
            "Largest request body, also after decompression.");

    /// Largest header.
    public static final ConfigKey<Integer> MAX_HEADER_BYTES = limit(
            "max-header-bytes",
            ValueType.integer(1, ANY),
            SERVER.maxHeaderBytes(),
            "Largest sum of a request's header lines.");

    /// Longest request line.
    public static final ConfigKey<Integer> MAX_REQUEST_LINE_BYTES = limit(
            "max-request-line-bytes", ValueType.integer(1, ANY), SERVER.maxRequestLineBytes(), "Longest request line.");

    /// Connections at once.
    public static final ConfigKey<Integer> MAX_CONNECTIONS = limit(
            "max-connections",
            ValueType.integer(1, ANY),
            SERVER.maxConnections(),
            "Connections open at once; further ones are closed.");

    /// Largest n.
    public static final ConfigKey<Integer> MAX_CHOICES =
            limit("max-choices", ValueType.integer(1, 128), SERVER.maxChoices(), "Largest `n` of a request.");

    /// Requests of one key at once.
    public static final ConfigKey<Integer> MAX_REQUESTS_PER_KEY = limit(
            "max-requests-per-key",
            ValueType.integer(0, ANY),
            SERVER.maxRequestsPerKey(),
            "Requests of one key that may be under way at once; 0 for no limit.");

    /// Time for headers.
    public static final ConfigKey<Duration> HEADER_TIMEOUT_SECONDS = limit(
            "header-timeout-seconds",
            ValueType.seconds(false),
            SERVER.headerTimeout(),
            "Time from a request's first byte to the end of its headers.");

    /// Time for a body.
    public static final ConfigKey<Duration> BODY_TIMEOUT_SECONDS =
            limit("body-timeout-seconds", ValueType.seconds(false), SERVER.bodyTimeout(), "Time for a request's body.");

    /// Life of idle connections.
    public static final ConfigKey<Duration> IDLE_TIMEOUT_SECONDS = limit(
            "idle-timeout-seconds",
            ValueType.seconds(false),
            SERVER.idleTimeout(),
            "Time that an idle connection is kept.");

    /// Time a client may not read.
    public static final ConfigKey<Duration> STALL_TIMEOUT_SECONDS = limit(
            "stall-timeout-seconds",
            ValueType.seconds(false),
            SERVER.stallTimeout(),
            "Time that a client may leave its answer unread before it is dropped.");

    /// Time to end when the server stops.
    public static final ConfigKey<Duration> DRAIN_TIMEOUT_SECONDS = limit(
            "drain-timeout-seconds",
            ValueType.seconds(true),
            SERVER.shutdownGrace(),
            "Time that running requests have to end when the server is told to stop.");

    /// Level.
    public static final ConfigKey<LogLevel> LOG_LEVEL = key(
            "log-level",
            Section.LOGGING,
            ValueType.choice(LogLevel.class),
            LogLevel.INFO,
            "Least important messages that are written. Probes and scrapes are logged from `debug` on.");

    /// Format.
    public static final ConfigKey<LogFormat> LOG_FORMAT = key(
            "log-format",
            Section.LOGGING,
            ValueType.choice(LogFormat.class),
            LogFormat.TEXT,
            "Lines for people, or one JSON object a line. Both go to stderr.");

    /// Request log.
    public static final ConfigKey<Boolean> LOG_REQUESTS = key(
            "log-requests", Section.LOGGING, ValueType.bool(), true, "Whether every request is logged when it ends.");

    /// Texts in the log.
    public static final ConfigKey<Boolean> LOG_CONTENT = key(
            "log-content",
            Section.LOGGING,
            ValueType.bool(),
            false,
            "Whether bodies of requests and answers are logged too, the first 64 KiB of each: what people wrote.");

    /// All keys, in the order of the documentation.
    public static final List<ConfigKey<?>> ALL = List.of(
            HOST,
            PORT,
            MODELS,
            MODEL_ALIASES,
            LORA,
            DIALECT,
            STREAM_KEEP_ALIVE,
            STREAM_KEEP_ALIVE_SECONDS,
            STREAM_START_DELAY_SECONDS,
            PROVIDER_SLUG,
            DATA_DIR,
            API_KEYS,
            API_KEYS_FILE,
            PROTECT_METRICS,
            ALLOW_RUNTIME_LORA_UPDATING,
            CORS_ORIGIN,
            THREADS,
            KERNELS,
            CONTEXT_TOKENS,
            KV_CACHE_TYPE,
            EXACT,
            MAX_NUM_SEQS,
            MAX_NUM_BATCHED_TOKENS,
            KV_CACHE_TOKENS,
            PREFIX_CACHE,
            MAX_WAITING,
            QUEUE_TIMEOUT_SECONDS,
            MAX_BODY_BYTES,
            MAX_HEADER_BYTES,
            MAX_REQUEST_LINE_BYTES,
            MAX_CONNECTIONS,
            MAX_CHOICES,
            MAX_REQUESTS_PER_KEY,
            HEADER_TIMEOUT_SECONDS,
            BODY_TIMEOUT_SECONDS,
            IDLE_TIMEOUT_SECONDS,
            STALL_TIMEOUT_SECONDS,
            DRAIN_TIMEOUT_SECONDS,
            LOG_LEVEL,
            LOG_FORMAT,
            LOG_REQUESTS,
            LOG_CONTENT);

    private ConfigKeys() {}

    private static <T> ConfigKey<T> key(
            String name, Section section, ValueType<T> type, T defaultValue, String description) {
        return new ConfigKey<>(name, section, type, defaultValue, false, description);
    }

    private static <T> ConfigKey<T> limit(String name, ValueType<T> type, T defaultValue, String description) {
        return key(name, Section.LIMITS, type, defaultValue, description);
    }

    /// Returns the names of all keys.
    public static List<String> names() {
        return ALL.stream().map(ConfigKey::name).toList();
    }

    /// Returns the key of a name.
    public static Optional<ConfigKey<?>> find(String name) {
        return ALL.stream()
                .<ConfigKey<?>>map(key -> key)
                .filter(key -> key.name().equals(name))
                .findFirst();
    }
}

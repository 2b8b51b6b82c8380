package dev.mixtral.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.kvcache.KvType;
import dev.mixtral.server.AdapterSpec;
import dev.mixtral.server.ApiKey;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.ModelSpec;
import dev.mixtral.server.ServerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
    private static final Path EMBEDDED = Path.of("models", "mixtral-tiny");

    @TempDir
    private Path folder;

    private static ServerConfig settings(Map<String, String> environment) {
        return Settings.server(Configuration.load(Map.of(), environment, null), EMBEDDED);
    }

    @Test
    void everyValueArrivesInItsOwnPlace() {
        Map<String, String> environment = new HashMap<>();
        environment.put("MIXTRAL_HOST", "0.0.0.0");
        environment.put("MIXTRAL_PORT", "1");
        environment.put("MIXTRAL_DIALECT", "mistral");
        environment.put("MIXTRAL_PROTECT_METRICS", "true");
        environment.put("MIXTRAL_CORS_ORIGIN", "none");
        environment.put("MIXTRAL_PROVIDER_SLUG", "home");
        environment.put("MIXTRAL_THREADS", "2");
        environment.put("MIXTRAL_KERNELS", "scalar");
        environment.put("MIXTRAL_CONTEXT_TOKENS", "3");
        environment.put("MIXTRAL_KV_CACHE_TYPE", "f16");
        environment.put("MIXTRAL_EXACT", "true");
        environment.put("MIXTRAL_MAX_NUM_SEQS", "10");
        environment.put("MIXTRAL_MAX_NUM_BATCHED_TOKENS", "11");
        environment.put("MIXTRAL_KV_CACHE_TOKENS", "12");
        environment.put("MIXTRAL_PREFIX_CACHE", "false");
        environment.put("MIXTRAL_MAX_WAITING", "13");
        environment.put("MIXTRAL_MAX_BODY_BYTES", "4");
        environment.put("MIXTRAL_MAX_HEADER_BYTES", "5");
        environment.put("MIXTRAL_MAX_REQUEST_LINE_BYTES", "6");
        environment.put("MIXTRAL_MAX_CONNECTIONS", "7");
        environment.put("MIXTRAL_MAX_CHOICES", "8");
        environment.put("MIXTRAL_MAX_REQUESTS_PER_KEY", "9");
        ServerConfig config = settings(environment);
        assertThat(config.host()).isEqualTo("0.0.0.0");
        assertThat(config.port()).isEqualTo(1);
        assertThat(config.dialect()).isEqualTo(Dialect.MISTRAL);
        assertThat(config.protectMetrics()).isTrue();
        assertThat(config.corsOrigin()).isEmpty();
        assertThat(config.providerSlug()).isEqualTo("home");
        assertThat(config.engine().numThreads()).isEqualTo(2);
        assertThat(config.engine().kernels()).isEqualTo("scalar");
        assertThat(config.engine().contextLength()).isEqualTo(3);
        assertThat(config.engine().kvType()).isEqualTo(KvType.F16);
        assertThat(config.engine().exact()).isTrue();
        assertThat(config.engine().maxNumSeqs()).isEqualTo(10);
        assertThat(config.engine().maxNumBatchedTokens()).isEqualTo(11);
        assertThat(config.engine().kvCacheTokens()).isEqualTo(12);
        assertThat(config.engine().prefixCache()).isFalse();
        assertThat(config.engine().maxWaiting()).isEqualTo(13);
        assertThat(config.maxBodyBytes()).isEqualTo(4);
        assertThat(config.maxHeaderBytes()).isEqualTo(5);
        assertThat(config.maxRequestLineBytes()).isEqualTo(6);
        assertThat(config.maxConnections()).isEqualTo(7);
        assertThat(config.maxChoices()).isEqualTo(8);
        assertThat(config.maxRequestsPerKey()).isEqualTo(9);
    }

    @Test
    void everyTimeArrivesInItsOwnPlace() {
        Map<String, String> environment = Map.of(
                "MIXTRAL_STREAM_KEEP_ALIVE_SECONDS", "1",
                "MIXTRAL_STREAM_START_DELAY_SECONDS", "2",
                "MIXTRAL_HEADER_TIMEOUT_SECONDS", "3",
                "MIXTRAL_BODY_TIMEOUT_SECONDS", "4",
                "MIXTRAL_IDLE_TIMEOUT_SECONDS", "5",
                "MIXTRAL_STALL_TIMEOUT_SECONDS", "6",
                "MIXTRAL_DRAIN_TIMEOUT_SECONDS", "7",
                "MIXTRAL_QUEUE_TIMEOUT_SECONDS", "8");
        ServerConfig config = settings(environment);
        assertThat(List.of(
                        config.keepAliveInterval(),
                        config.streamStartDelay(),
                        config.headerTimeout(),
                        config.bodyTimeout(),
                        config.idleTimeout(),
                        config.stallTimeout(),
                        config.shutdownGrace(),
                        config.engine().queueTimeout(),
                        config.engine().stallTimeout()))
                .extracting(Duration::toSeconds)
                .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 6L);
    }

    @Test
    void modelsHaveIdsAndAliases() {
        ServerConfig config = settings(Map.of(
                "MIXTRAL_MODELS", "/m/8x7b.Q4_K_M.gguf, small=/m/tiny",
                "MIXTRAL_MODEL_ALIASES", "gpt-4, tiny=small, *"));
        assertThat(config.models())
                .containsExactly(
                        new ModelSpec(Path.of("/m/8x7b.Q4_K_M.gguf"), "8x7b.Q4_K_M", List.of("*", "gpt-4")),
                        new ModelSpec(Path.of("/m/tiny"), "small", List.of("tiny")));
        assertThat(settings(Map.of()).models()).containsExactly(new ModelSpec(EMBEDDED, "mixtral-tiny", List.of()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a/m.gguf,b/m.gguf | ''      | two models with the id m
            =m.gguf           | ''      | expected ID=PATH
            *=m.gguf          | ''      | expected ID=PATH
            m.gguf            | x=other | names no model; there are: m
            m.gguf            | m       | is empty or taken
            m.gguf            | a,a=m   | is empty or taken
            """)
    void impossibleModelsAreRefused(String models, String aliases, String message) {
        assertThatThrownBy(() -> settings(Map.of("MIXTRAL_MODELS", models, "MIXTRAL_MODEL_ALIASES", aliases)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void adaptersBelongToTheFirstModelOrTheOneTheyName() {
        ServerConfig config =
                settings(Map.of("MIXTRAL_MODELS", "a=/m/a,b=/m/b", "MIXTRAL_LORA", "one=/l/1, b:two=/l/2,c:x=/l/3"));
        assertThat(config.models().get(0).adapters())
                .containsExactly(new AdapterSpec("one", Path.of("/l/1")), new AdapterSpec("c:x", Path.of("/l/3")));
        assertThat(config.models().get(1).adapters()).containsExactly(new AdapterSpec("two", Path.of("/l/2")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"one", "=path", "one=", "one=a,one=b", "m=a", "alias=a", "*=a", "m:=a"})
    void impossibleAdaptersAreRefused(String adapters) {
        assertThatThrownBy(() -> settings(Map.of(
                        "MIXTRAL_MODELS", "m=m.gguf", "MIXTRAL_MODEL_ALIASES", "alias", "MIXTRAL_LORA", adapters)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("lora");
    }

    @Test
    void keysComeFromTheConfigurationAndFromAFileOfKeys() throws IOException {
        Path file = Files.writeString(folder.resolve("keys"), """
                # who may use it

                sk-3
                bob  sk-4 tiny big
                """);
        ServerConfig config =
                settings(Map.of("MIXTRAL_API_KEYS", "sk-1==, alice sk-2", "MIXTRAL_API_KEYS_FILE", file.toString()));
        assertThat(config.apiKeys())
                .containsExactly(
                        new ApiKey("key-1", "sk-1==", Set.of()),
                        new ApiKey("alice", "sk-2", Set.of()),
                        new ApiKey("key-3", "sk-3", Set.of()),
                        new ApiKey("bob", "sk-4", Set.of("tiny", "big")));
    }

    @Test
    void contentIsOnlyLoggedWithItsRequest() {
        assertThatThrownBy(() -> settings(Map.of("MIXTRAL_LOG_CONTENT", "true", "MIXTRAL_LOG_REQUESTS", "false")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("environment MIXTRAL_LOG_CONTENT: log-content needs log-requests");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a sk-hush, a sk-other", "a sk-hush, b sk-hush", "a sk-hush\u00fc"})
    void impossibleKeysAreRefusedWithoutShowingThem(String keys) {
        assertThatThrownBy(() -> settings(Map.of("MIXTRAL_API_KEYS", keys)))
                .isInstanceOf(ConfigException.class)
                .hasMessageNotContaining("sk-");
    }

    @Test
    void aFileOfKeysWithoutAKeyIsRefused() throws IOException {
        Path empty = Files.writeString(folder.resolve("keys"), "# none yet\n");
        assertThatThrownBy(() -> settings(Map.of("MIXTRAL_API_KEYS_FILE", empty.toString())))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("there is no key in " + empty);
        assertThatThrownBy(() -> settings(
                        Map.of("MIXTRAL_API_KEYS_FILE", folder.resolve("no").toString())))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("cannot read");
    }
}

package dev.mixtral.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ServerConfigTest {
    @Test
    void defaultsAreAsDocumented() {
        ServerConfig config = ServerConfig.builder().build();
        assertThat(config.host()).isEqualTo("127.0.0.1");
        assertThat(config.port()).isEqualTo(8080);
        assertThat(config.models()).isEmpty();
        assertThat(config.apiKeys()).isEmpty();
        assertThat(config.protectMetrics()).isFalse();
        assertThat(config.dialect()).isEqualTo(Dialect.OPENAI);
        assertThat(config.corsOrigin()).isEqualTo("*");
        assertThat(config.keepAlive()).isEqualTo(KeepAlive.COMMENT);
        assertThat(config.keepAliveInterval()).isEqualTo(Duration.ofSeconds(15));
        assertThat(config.streamStartDelay()).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.maxBodyBytes()).isEqualTo(33_554_432);
        assertThat(config.maxHeaderBytes()).isEqualTo(32_768);
        assertThat(config.maxRequestLineBytes()).isEqualTo(8192);
        assertThat(config.maxConnections()).isEqualTo(4096);
        assertThat(config.maxChoices()).isEqualTo(128);
        assertThat(config.maxRequestsPerKey()).isZero();
        assertThat(config.headerTimeout()).isEqualTo(Duration.ofSeconds(15));
        assertThat(config.bodyTimeout()).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.idleTimeout()).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.stallTimeout()).isEqualTo(Duration.ofMinutes(1));
        assertThat(config.shutdownGrace()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.providerSlug()).isEqualTo("self");
        assertThat(config.toBuilder().build()).isEqualTo(config);
    }

    @Test
    void refusesSettingsOutOfRange() {
        assertThatThrownBy(() -> ServerConfig.builder().port(65536).build())
                .hasMessage("port must be between 0 and 65535, got 65536");
        assertThatThrownBy(
                        () -> ServerConfig.builder().idleTimeout(Duration.ZERO).build())
                .hasMessage("idleTimeout must be a positive time, got PT0S");
    }

    @Test
    void anApiKeyNeverPrintsItsSecret() {
        ApiKey key = new ApiKey("alice", "sk-secret", Set.of("mixtral-8x7b-instruct"));
        assertThat(key.toString()).isEqualTo("ApiKey[alice]");
        assertThat(key.matches("sk-secret")).isTrue();
        assertThat(key.matches("sk-secreT")).isFalse();
        assertThat(key.allows("mixtral-8x7b-instruct")).isTrue();
        assertThat(key.allows("mixtral-8x22b")).isFalse();
    }
}

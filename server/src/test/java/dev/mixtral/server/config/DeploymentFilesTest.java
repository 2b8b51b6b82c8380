package dev.mixtral.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.ServerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// What lies in `deploy/` fits the program: its settings exist, and its times fit together.
class DeploymentFilesTest {
    private static final Path DEPLOY = Path.of(System.getProperty("mixtral.home"), "deploy");
    private static final Pattern VARIABLE = Pattern.compile("\\b(MIXTRAL_[A-Z_]+)=(\\S*)");

    @TempDir
    private Path folder;

    static List<Path> yamlFiles() throws IOException {
        try (Stream<Path> files = Files.walk(DEPLOY)) {
            return files.filter(file -> file.toString().matches(".*\\.ya?ml")).toList();
        }
    }

    private static String text(String file) throws IOException {
        return Files.readString(DEPLOY.resolve(file));
    }

    private static JsonNode yaml(String file) throws IOException {
        return new YAMLMapper().readTree(text(file));
    }

    private Configuration configuration(String text) throws IOException {
        return Configuration.load(Map.of(), Map.of(), Files.writeString(folder.resolve("mixtral.yaml"), text));
    }

    private Configuration configMap() throws IOException {
        return configuration(
                yaml("kubernetes/configmap.yaml").at("/data/mixtral.yaml").asString());
    }

    @ParameterizedTest
    @MethodSource("yamlFiles")
    void everyYamlFileIsWellFormed(Path file) throws IOException {
        assertThat(new YAMLMapper().readTree(Files.readString(file)).isObject()).isTrue();
    }

    @Test
    void theExampleConfigurationIsAccepted() throws IOException {
        ServerConfig config = Settings.server(configuration(text("mixtral.yaml")), Path.of("unused"));
        assertThat(config.models()).hasSize(1);
        assertThat(config.host()).isEqualTo("0.0.0.0");
    }

    @Test
    void kubernetesMountsWhatTheConfigurationNames() throws IOException {
        JsonNode container = yaml("kubernetes/deployment.yaml").at("/spec/template/spec/containers/0");
        List<String> mounts = container.get("volumeMounts").findValuesAsString("mountPath");
        Configuration configuration = configMap();
        Path keys = Path.of(configuration.get(ConfigKeys.API_KEYS_FILE));
        assertThat(mounts).contains(String.valueOf(keys.getParent()));
        assertThat(yaml("kubernetes/secret.yaml").get("stringData").has(String.valueOf(keys.getFileName())))
                .isTrue();
        ServerConfig config = Settings.server(
                Configuration.load(
                        Map.of(),
                        Map.of(
                                "MIXTRAL_API_KEYS_FILE",
                                Files.writeString(folder.resolve("keys"), "k").toString()),
                        Files.writeString(folder.resolve("c.yaml"), configuration.toYaml())),
                Path.of("unused"));
        assertThat(config.models())
                .allSatisfy(model ->
                        assertThat(mounts).contains(String.valueOf(model.path().getParent())));
        assertThat(container.at("/args/2").asString()).isEqualTo("/etc/mixtral/config/mixtral.yaml");
        assertThat(mounts).contains("/etc/mixtral/config");
    }

    @Test
    void kubernetesProbesThePortThatTheServerListensOn() throws IOException {
        JsonNode container = yaml("kubernetes/deployment.yaml").at("/spec/template/spec/containers/0");
        assertThat(container.at("/ports/0/containerPort").asInt())
                .isEqualTo(configMap().get(ConfigKeys.PORT));
        assertThat(container.at("/ports/0/name").asString()).isEqualTo("http");
        assertThat(container.at("/livenessProbe/httpGet/path").asString()).isEqualTo("/livez");
        assertThat(container.at("/readinessProbe/httpGet/path").asString()).isEqualTo("/readyz");
        assertThat(yaml("kubernetes/service.yaml")
                        .at("/spec/ports/0/targetPort")
                        .asString())
                .isEqualTo("http");
    }

    @Test
    void kubernetesWaitsForTheDrain() throws IOException {
        JsonNode pod = yaml("kubernetes/deployment.yaml").at("/spec/template/spec");
        long needed = pod.at("/containers/0/lifecycle/preStop/sleep/seconds").asLong()
                + configMap().get(ConfigKeys.DRAIN_TIMEOUT_SECONDS).toSeconds()
                + 10;
        assertThat(pod.get("terminationGracePeriodSeconds").asLong()).isGreaterThanOrEqualTo(needed);
    }

    @Test
    void kubernetesAppliesEveryManifest() throws IOException {
        List<String> listed = yaml("kubernetes/kustomization.yaml")
                .get("resources")
                .valueStream()
                .map(JsonNode::asString)
                .toList();
        try (Stream<Path> files = Files.list(DEPLOY.resolve("kubernetes"))) {
            assertThat(files.map(file -> file.getFileName().toString())
                            .filter(name -> !name.equals("kustomization.yaml")))
                    .containsExactlyInAnyOrderElementsOf(listed);
        }
    }

    @Test
    void systemdWaitsForTheDrain() throws IOException {
        String unit = text("systemd/mixtral.service");
        Matcher timeout = Pattern.compile("(?m)^TimeoutStopSec=(\\d+)$").matcher(unit);
        assertThat(timeout.find()).isTrue();
        long drain = configuration(text("mixtral.yaml"))
                .get(ConfigKeys.DRAIN_TIMEOUT_SECONDS)
                .toSeconds();
        assertThat(Long.parseLong(timeout.group(1))).isGreaterThanOrEqualTo(drain + 10);
    }

    @Test
    void variablesInUnitsAndImagesAreSettings() throws IOException {
        Map<String, String> variables = new HashMap<>();
        for (String file : List.of("systemd/mixtral.service", "docker/Dockerfile")) {
            VARIABLE.matcher(text(file)).results().forEach(found -> variables.put(found.group(1), found.group(2)));
        }
        assertThat(variables).containsKeys("MIXTRAL_API_KEYS_FILE", "MIXTRAL_HOST");
        assertThat(Configuration.load(Map.of(), variables, null).get(ConfigKeys.HOST))
                .isEqualTo("0.0.0.0");
    }

    @Test
    void theImageRunsWithoutShellAndWithoutRoot() throws IOException {
        String dockerfile = text("docker/Dockerfile");
        List<String> lastStage = dockerfile
                .substring(dockerfile.lastIndexOf("\nFROM "))
                .lines()
                .map(String::strip)
                .toList();
        assertThat(lastStage).noneMatch(line -> line.startsWith("RUN "));
        assertThat(lastStage).anyMatch(line -> line.matches("USER [1-9]\\d*:[1-9]\\d*"));
        List<String> commands = lastStage.stream()
                .filter(line -> line.matches("(HEALTHCHECK|ENTRYPOINT|CMD) .*"))
                .toList();
        assertThat(commands).hasSize(3).allSatisfy(line -> {
            JsonNode arguments = JsonMapper.shared().readTree(line.substring(line.indexOf('[')));
            assertThat(arguments.isArray()).isTrue();
            assertThat(line).doesNotContain("/sh\"");
        });
    }
}

package dev.mixtral.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.ServerConfig;
import dev.mixtral.server.ServerObserver;
import dev.mixtral.server.batch.BatchApi;
import dev.mixtral.server.testing.ScriptedModel;
import dev.mixtral.server.testing.ScriptedModel.Script;
import dev.mixtral.server.testing.TestServer;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The document that describes the API, against the API.
class OpenApiTest {
    private static JsonNode document() throws Exception {
        try (TestServer server = TestServer.of(new ScriptedModel(Script.saying("x")).served())) {
            assertThat(server.get("/docs").text()).contains("/v1/chat/completions", "Answer a conversation");
            return server.get("/openapi.json").json();
        }
    }

    @Test
    void everyRouteIsDescribedAndNothingElse() throws Exception {
        Set<String> described = new TreeSet<>();
        document()
                .path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .properties()
                        .forEach(operation ->
                                described.add(operation.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey())));
        Set<String> served = new TreeSet<>();
        ServerConfig config = ServerConfig.builder().build();
        ServerApi api = new ServerApi(config, ServerObserver.NONE, "0");
        try (BatchApi _ = BatchApi.open(config, api)) {
            for (Route route : api.routes()) {
                served.add(route.method() + " " + route.template().replace("+}", "}"));
            }
        }
        assertThat(described).isEqualTo(served);
    }

    @Test
    void everyReferenceLeadsSomewhere() throws Exception {
        JsonNode document = document();
        for (JsonNode reference : document.findValues("$ref")) {
            assertThat(document.at(reference.asString().substring(1)).isObject())
                    .describedAs(reference.asString())
                    .isTrue();
        }
        assertThat(document.findValues("operationId").stream().map(JsonNode::asString))
                .doesNotHaveDuplicates();
    }
}

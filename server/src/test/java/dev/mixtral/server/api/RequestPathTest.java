package dev.mixtral.server.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.Dialect;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class RequestPathTest {
    private static List<String> segments(String target) {
        RequestPath path = RequestPath.parse(target);
        return path == null ? List.of("(none)") : path.segments();
    }

    @Test
    void pathsAreReadForgivingly() {
        assertThat(segments("/")).isEmpty();
        assertThat(segments("/v1/models")).containsExactly("v1", "models");
        assertThat(segments("//v1///models/")).containsExactly("v1", "models");
        assertThat(segments("/v1/chat/completions#stream")).containsExactly("v1", "chat", "completions");
        assertThat(segments("/v1/models?a=/b#c")).containsExactly("v1", "models");
        assertThat(segments("http://host:80/v1/models")).containsExactly("v1", "models");
        assertThat(segments("https://host")).isEmpty();
        assertThat(segments("/v1/models/a%2Fb")).containsExactly("v1", "models", "a/b");
        assertThat(segments("/%C3%A9")).containsExactly("é");
    }

    @Test
    void brokenTargetsAreNone() {
        for (String target : List.of("", "*", "models", "/a%", "/a%2", "/a%zz", "/%%%")) {
            assertThat(RequestPath.parse(target)).describedAs(target).isNull();
        }
    }

    @Test
    void queriesAreRead() {
        RequestPath path = Objects.requireNonNull(RequestPath.parse("/x?limit=5&a=b%20c&a=d&flag&=&bad=%zz"));
        assertThat(path.query()).containsAllEntriesOf(Map.of("limit", "5", "a", "b c", "flag", "", "bad", "%zz"));
    }

    @Test
    void templatesTakeOneSegmentOrMore() {
        Route one = new Route("GET", "/v1/models/{id+}", Access.KEY, true, call -> {});
        assertThat(one.match(List.of("v1", "models", "a", "b"))).containsEntry("id", "a/b");
        assertThat(one.match(List.of("v1", "models"))).isNull();
        Route inside = new Route("GET", "/m/{id+}/endpoints", Access.KEY, true, call -> {});
        assertThat(inside.match(List.of("m", "a", "b", "endpoints"))).containsEntry("id", "a/b");
        assertThat(inside.match(List.of("m", "endpoints"))).isNull();
        Route root = new Route("GET", "/", Access.OPEN, false, call -> {});
        assertThat(root.match(List.of())).isEmpty();
        assertThat(root.match(List.of("x"))).isNull();
    }

    private static RequestHead head(String... headers) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < headers.length; i += 2) {
            map.put(headers[i], headers[i + 1]);
        }
        return new RequestHead("req_1", "POST", "/", map, "", 0);
    }

    @Test
    void dialectsAreFoundByHeaderPathAndAgent() {
        List<String> openAi = List.of("v1", "chat", "completions");
        List<String> openRouter = List.of("api", "v1", "chat", "completions");
        assertThat(Dialects.of(head(), openAi, Dialect.OPENAI)).isEqualTo(Dialect.OPENAI);
        assertThat(Dialects.of(head(), openAi, Dialect.MISTRAL)).isEqualTo(Dialect.MISTRAL);
        assertThat(Dialects.of(head("User-Agent", "langchain4j-Mistral-ai"), openAi, Dialect.OPENAI))
                .isEqualTo(Dialect.MISTRAL);
        assertThat(Dialects.of(head("X-Mistral-User-Agent", "mistral-client-python/1"), openAi, Dialect.OPENAI))
                .isEqualTo(Dialect.MISTRAL);
        assertThat(Dialects.of(head("User-Agent", "mistral"), openRouter, Dialect.OPENAI))
                .isEqualTo(Dialect.OPENROUTER);
        assertThat(Dialects.of(head("X-API-Dialect", "Mistral"), openRouter, Dialect.OPENAI))
                .isEqualTo(Dialect.MISTRAL);
        assertThat(Dialects.of(head("X-API-Dialect", "klingon"), openRouter, Dialect.OPENAI))
                .isEqualTo(Dialect.OPENROUTER);
    }

    @Test
    void aClientThatNamesItselfOnStreamsOnlyGetsOneTemperature() {
        assertThat(Dialects.defaultTemperature(Dialect.MISTRAL, head("user-agent", "mistral-client-python/1")))
                .isEqualTo(0.7);
        assertThat(Dialects.defaultTemperature(Dialect.MISTRAL, head("user-agent", "ai-sdk/mistral/3.0.69")))
                .isEqualTo(1);
        assertThat(Dialects.defaultTemperature(Dialect.OPENAI, head("user-agent", "ai/6")))
                .isEqualTo(1);
    }
}

package dev.mixtral.server.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.Dialect;
import org.junit.jupiter.api.Test;

class ErrorWriterTest {
    private static final ApiError ERROR = ApiError.invalid("temperature", "decimal_above_max_value", "Too hot.");

    @Test
    void oneBodyServesOpenAiAndMistral() {
        String expected = """
                {"error":{"message":"Too hot.","type":"invalid_request_error","param":"temperature","code":"decimal_above_max_value"},"object":"error","message":"Too hot.","type":"invalid_request_error","param":"temperature","code":"decimal_above_max_value"}""";
        assertThat(ErrorWriter.body(ERROR, Dialect.OPENAI).toString()).isEqualTo(expected);
        assertThat(ErrorWriter.body(ERROR, Dialect.MISTRAL).toString()).isEqualTo(expected);
    }

    @Test
    void openRoutersCodeIsANumber() {
        var body = ErrorWriter.body(ERROR, Dialect.OPENROUTER);
        assertThat(body.at("/error/code").asInt()).isEqualTo(400);
        assertThat(body.at("/error/metadata/error_type").asString()).isEqualTo("invalid_request");
        assertThat(body.path("user_id").isNull()).isTrue();
    }

    @Test
    void nothingIsNullAndNotMissing() {
        var body = ErrorWriter.body(ApiError.malformed("x"), Dialect.OPENAI);
        assertThat(body.path("error").has("param")).isTrue();
        assertThat(body.at("/error/param").isNull()).isTrue();
        assertThat(body.at("/error/code").isNull()).isTrue();
    }

    @Test
    void openRoutersWordsFollowTheStatus() {
        assertThat(ApiError.contextLength("messages", 8, 9).openRouterType()).isEqualTo("context_length_exceeded");
        assertThat(ApiError.unauthorized(true).openRouterType()).isEqualTo("authentication");
        assertThat(ApiError.modelNotFound("x").openRouterType()).isEqualTo("not_found");
        assertThat(ApiError.tooLarge(1).openRouterType()).isEqualTo("payload_too_large");
        assertThat(ApiError.rateLimited("x", 1).openRouterType()).isEqualTo("rate_limit_exceeded");
        assertThat(ApiError.unavailable("overloaded", "x", 1).openRouterType()).isEqualTo("provider_overloaded");
        assertThat(ApiError.internal("r").openRouterType()).isEqualTo("server");
        assertThat(ApiError.timeout("x").openRouterType()).isEqualTo("timeout");
    }
}

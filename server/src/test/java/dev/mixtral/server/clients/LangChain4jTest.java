package dev.mixtral.server.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.mistralai.MistralAiChatModel;
import dev.langchain4j.model.mistralai.MistralAiStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.service.AiServices;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// LangChain4j's clients of OpenAI and of Mistral, over the JDK's HTTP client.
@ExtendWith(TinyServer.Extension.class)
@TestInstance(Lifecycle.PER_CLASS)
class LangChain4jTest {
    private static final int PATIENCE_SECONDS = 60;
    private static final ToolSpecification WEATHER = ToolSpecification.builder()
            .name("get_weather")
            .description("Weather of a city")
            .parameters(JsonObjectSchema.builder()
                    .addStringProperty("city")
                    .required("city")
                    .build())
            .build();

    /// Whose client speaks.
    enum Provider {
        OPENAI,
        MISTRAL
    }

    private final TinyServer server;

    LangChain4jTest(TinyServer server) {
        this.server = server;
    }

    private ChatModel chat(Provider provider, String key, String model) {
        return switch (provider) {
            case OPENAI ->
                OpenAiChatModel.builder()
                        .baseUrl(server.baseUrl())
                        .apiKey(key)
                        .modelName(model)
                        .temperature(0.0)
                        // Ids of calls follow from the seed, and an answer to a call's result from its id.
                        .seed(1)
                        .maxRetries(0)
                        .build();
            case MISTRAL ->
                MistralAiChatModel.builder()
                        .baseUrl(server.baseUrl())
                        .apiKey(key)
                        .modelName(model)
                        .temperature(0.0)
                        .randomSeed(1)
                        .maxRetries(0)
                        .build();
        };
    }

    private ChatModel chat(Provider provider) {
        return chat(provider, TinyServer.KEY, TinyServer.MODEL);
    }

    private StreamingChatModel streaming(Provider provider) {
        return switch (provider) {
            case OPENAI ->
                OpenAiStreamingChatModel.builder()
                        .baseUrl(server.baseUrl())
                        .apiKey(TinyServer.KEY)
                        .modelName(TinyServer.MODEL)
                        .temperature(0.0)
                        .build();
            case MISTRAL ->
                MistralAiStreamingChatModel.builder()
                        .baseUrl(server.baseUrl())
                        .apiKey(TinyServer.KEY)
                        .modelName(TinyServer.MODEL)
                        .temperature(0.0)
                        .build();
        };
    }

    /// Returns a client that leaves the form of objects to the server. Its schemas forbid other keys, as
    /// [MistralAiChatModel]'s do not: with those a model as small as this one may add keys for ever.
    private OpenAiChatModel structured() {
        return OpenAiChatModel.builder()
                .baseUrl(server.baseUrl())
                .apiKey(TinyServer.KEY)
                .modelName(TinyServer.MODEL)
                .supportedCapabilities(Capability.RESPONSE_FORMAT_JSON_SCHEMA)
                .strictJsonSchema(true)
                .temperature(0.0)
                .maxRetries(0)
                .build();
    }

    private static ChatRequest ask(String question) {
        return ChatRequest.builder().messages(UserMessage.from(question)).build();
    }

    /// Collects a stream.
    private static final class Collector implements StreamingChatResponseHandler {
        final StringBuilder text = new StringBuilder();
        final CompletableFuture<ChatResponse> response = new CompletableFuture<>();

        @Override
        public void onPartialResponse(String piece) {
            text.append(piece);
        }

        @Override
        public void onCompleteResponse(ChatResponse complete) {
            response.complete(complete);
        }

        @Override
        public void onError(Throwable error) {
            response.completeExceptionally(error);
        }

        ChatResponse await() throws InterruptedException, ExecutionException, TimeoutException {
            return response.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void answersWithUsage(Provider provider) {
        ChatResponse response =
                chat(provider).chat(ask("Name the language: He comprado tres cartas en el restaurante."));
        assertThat(response.aiMessage().text()).isEqualTo("Spanish");
        assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(response.tokenUsage().inputTokenCount()).isPositive();
        assertThat(response.tokenUsage().totalTokenCount())
                .isEqualTo(response.tokenUsage().inputTokenCount()
                        + response.tokenUsage().outputTokenCount());
    }

    @ParameterizedTest
    @EnumSource
    void streamsWhatItAnswersAtOnce(Provider provider) throws Exception {
        ChatRequest request = ask("Tell me a short story.");
        Collector stream = new Collector();
        streaming(provider).chat(request, stream);
        ChatResponse streamed = stream.await();
        ChatResponse whole = chat(provider).chat(request);
        assertThat(streamed.aiMessage().text()).isEqualTo(whole.aiMessage().text());
        assertThat(stream.text.toString()).isEqualTo(whole.aiMessage().text());
        assertThat(streamed.finishReason()).isEqualTo(whole.finishReason());
        assertThat(streamed.tokenUsage().outputTokenCount())
                .isEqualTo(whole.tokenUsage().outputTokenCount());
    }

    @ParameterizedTest
    @EnumSource
    void callsAToolAndReadsItsResult(Provider provider) {
        UserMessage question = UserMessage.from("What is the weather in Vienna?");
        ChatResponse first = chat(provider)
                .chat(ChatRequest.builder()
                        .messages(question)
                        .toolSpecifications(WEATHER)
                        .build());
        assertThat(first.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        ToolExecutionRequest call = first.aiMessage().toolExecutionRequests().getFirst();
        assertVienna(call);
        List<ChatMessage> messages = new ArrayList<>(List.of(question, first.aiMessage()));
        messages.add(ToolExecutionResultMessage.from(call, "{\"sky\": \"sunny\", \"degrees\": 20}"));
        ChatResponse second = chat(provider)
                .chat(ChatRequest.builder()
                        .messages(messages)
                        .toolSpecifications(WEATHER)
                        .build());
        assertThat(second.aiMessage().text()).contains("sunny");
    }

    private static void assertVienna(ToolExecutionRequest call) {
        assertThat(call.name()).isEqualTo("get_weather");
        assertThat(call.arguments()).isEqualToIgnoringWhitespace("{\"city\":\"Vienna\"}");
    }

    @ParameterizedTest
    @EnumSource
    void streamsAToolCall(Provider provider) throws Exception {
        Collector stream = new Collector();
        ChatRequest request = ChatRequest.builder()
                .messages(UserMessage.from("What is the weather in Vienna?"))
                .toolSpecifications(WEATHER)
                .build();
        streaming(provider).chat(request, stream);
        ChatResponse response = stream.await();
        assertThat(response.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        assertThat(response.aiMessage().toolExecutionRequests()).hasSize(1);
        assertVienna(response.aiMessage().toolExecutionRequests().getFirst());
    }

    @ParameterizedTest
    @EnumSource
    void errorsAreTyped(Provider provider) {
        ChatRequest question = ask("33 - 9");
        assertThatThrownBy(() -> chat(provider, "wrong", TinyServer.MODEL).chat(question))
                .isInstanceOf(AuthenticationException.class);
        assertThatThrownBy(() -> chat(provider, TinyServer.KEY, "gpt-9").chat(question))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("gpt-9");
        assertThatThrownBy(() -> chat(provider).chat(ask("lake sun ".repeat(4096))))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("context_length_exceeded");
    }

    enum Tone {
        GOOD,
        BAD
    }

    record Review(
            @JsonProperty(required = true) Tone tone,
            @JsonProperty(required = true) int stars,
            @JsonProperty(required = true) boolean recommended) {}

    interface Reviewer {
        Review review(String text);

        Tone tone(String text);
    }

    @Test
    void aServiceReturnsRecordsAndEnums() {
        Reviewer reviewer = AiServices.create(Reviewer.class, structured());
        Review review = reviewer.review("The soup was cold.");
        assertThat(review.tone()).isNotNull();
        assertThat(reviewer.tone("A fine bridge.")).isNotNull();
    }

    @Test
    void mistralsClientHandsOverASchema() {
        JsonObjectSchema object = JsonObjectSchema.builder()
                .addEnumProperty("tone", List.of("GOOD", "BAD"))
                .required("tone")
                .additionalProperties(false)
                .build();
        JsonSchema schema =
                JsonSchema.builder().name("tone").rootElement(object).build();
        ChatModel model = MistralAiChatModel.builder()
                .baseUrl(server.baseUrl())
                .apiKey(TinyServer.KEY)
                .modelName(TinyServer.MODEL)
                .temperature(0.0)
                .maxRetries(0)
                .build();
        ChatRequest request = ChatRequest.builder()
                .messages(UserMessage.from("A fine bridge."))
                .responseFormat(ResponseFormat.builder()
                        .type(ResponseFormatType.JSON)
                        .jsonSchema(schema)
                        .build())
                .build();
        assertThat(model.chat(request).aiMessage().text()).matches("\\{\\s*\"tone\"\\s*:\\s*\"(GOOD|BAD)\"\\s*}");
    }

    static final class Weather {
        final List<String> cities = new ArrayList<>();

        @Tool(name = "get_weather", value = "Weather of a city")
        String of(@P("city") String city) {
            cities.add(city);
            return "{\"sky\": \"sunny\", \"degrees\": 20}";
        }
    }

    interface Assistant {
        String chat(String text);
    }

    @ParameterizedTest
    @EnumSource
    void aServiceCallsItsTools(Provider provider) {
        Weather weather = new Weather();
        Assistant assistant = AiServices.builder(Assistant.class)
                .chatModel(chat(provider))
                .tools(weather)
                .build();
        // The ids of calls differ from run to run, and so do the words of so small a model about the result.
        assertThat(assistant.chat("What is the weather in Vienna?")).isNotBlank();
        assertThat(weather.cities).isNotEmpty();
    }

    @Test
    void aSeedIsRepeatable() {
        OpenAiChatModel model = OpenAiChatModel.builder()
                .baseUrl(server.baseUrl())
                .apiKey(TinyServer.KEY)
                .modelName(TinyServer.MODEL)
                .temperature(1.5)
                .seed(11)
                .maxCompletionTokens(24)
                .build();
        // Mistral's clients call the seed `random_seed`.
        MistralAiChatModel mistral = MistralAiChatModel.builder()
                .baseUrl(server.baseUrl())
                .apiKey(TinyServer.KEY)
                .modelName(TinyServer.MODEL)
                .temperature(1.5)
                .randomSeed(11)
                .maxTokens(24)
                .build();
        String answer = model.chat("Tell me a short story.");
        assertThat(answer).isNotBlank().isEqualTo(model.chat("Tell me a short story."));
        assertThat(mistral.chat("Tell me a short story.")).isEqualTo(answer);
    }

    @Test
    void cancellingAStreamEndsItsComputation() throws InterruptedException {
        OpenAiStreamingChatModel endless = OpenAiStreamingChatModel.builder()
                .baseUrl(server.baseUrl())
                .apiKey(TinyServer.KEY)
                .modelName(TinyServer.MODEL)
                .logitBias(Map.of(String.valueOf(TinyServer.EOS), -100))
                .build();
        CountDownLatch cancelled = new CountDownLatch(1);
        endless.chat(ask("Tell me a short story."), new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(PartialResponse piece, PartialResponseContext context) {
                context.streamingHandle().cancel();
                cancelled.countDown();
            }

            @Override
            public void onCompleteResponse(ChatResponse complete) {}

            @Override
            public void onError(Throwable error) {}
        });
        assertThat(cancelled.await(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        server.awaitIdle();
    }
}

package dev.mixtral.server.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.annotation.JsonClassDescription;
import com.fasterxml.jackson.annotation.JsonTypeName;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.ResponseFormatJsonSchema;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionTokenLogprob;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.chat.completions.StructuredChatCompletionCreateParams;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.models.Model;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.ExtendWith;

/// OpenAI's own Java client.
@ExtendWith(TinyServer.Extension.class)
@TestInstance(Lifecycle.PER_CLASS)
class OpenAiJavaTest {
    private static final String QUESTION = "Name the language: He comprado tres cartas en el restaurante.";
    private static final String STORY = "Tell me a short story.";

    private final TinyServer server;
    private final OpenAIClient client;

    OpenAiJavaTest(TinyServer server) {
        this.server = server;
        this.client = client(TinyServer.KEY);
    }

    private OpenAIClient client(String key) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(server.baseUrl())
                .apiKey(key)
                .maxRetries(0)
                .build();
    }

    private static ChatCompletionCreateParams.Builder ask(String question) {
        return ChatCompletionCreateParams.builder()
                .model(TinyServer.MODEL)
                .addUserMessage(question)
                .temperature(0);
    }

    /// A request whose answer does not end before the context is full.
    private static ChatCompletionCreateParams endless() {
        return ask(STORY)
                .putAdditionalBodyProperty("logit_bias", JsonValue.from(Map.of(String.valueOf(TinyServer.EOS), -100)))
                .build();
    }

    private static String content(ChatCompletion completion, int choice) {
        return completion.choices().get(choice).message().content().orElseThrow();
    }

    private static ChatCompletion accumulate(OpenAIClient client, ChatCompletionCreateParams params) {
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> chunks =
                client.chat().completions().createStreaming(params)) {
            chunks.stream().forEach(accumulator::accumulate);
        }
        return accumulator.chatCompletion();
    }

    @Test
    void answersWithUsage() {
        ChatCompletion completion =
                client.chat().completions().create(ask(QUESTION).build());
        assertThat(content(completion, 0)).isEqualTo("Spanish");
        assertThat(completion.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(completion.model()).isEqualTo(TinyServer.MODEL);
        var usage = completion.usage().orElseThrow();
        assertThat(usage.promptTokens()).isGreaterThan(10);
        assertThat(usage.completionTokens()).isPositive();
        assertThat(usage.totalTokens()).isEqualTo(usage.promptTokens() + usage.completionTokens());
        completion.validate();
    }

    @Test
    void streamsWhatItAnswersAtOnce() {
        ChatCompletionCreateParams params = ask(STORY)
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();
        ChatCompletion streamed = accumulate(client, params);
        ChatCompletion whole = client.chat().completions().create(params);
        assertThat(content(streamed, 0)).isNotBlank().isEqualTo(content(whole, 0));
        assertThat(streamed.choices().getFirst().finishReason())
                .isEqualTo(whole.choices().getFirst().finishReason());
        assertThat(streamed.usage().orElseThrow().completionTokens())
                .isEqualTo(whole.usage().orElseThrow().completionTokens());
        streamed.validate();
    }

    @Test
    void choicesOfASeedAreRepeatable() {
        ChatCompletionCreateParams params = ask(STORY)
                .temperature(1.5)
                .n(3)
                .putAdditionalBodyProperty("seed", JsonValue.from(-7))
                .maxCompletionTokens(24)
                .build();
        ChatCompletion first = client.chat().completions().create(params);
        assertThat(first.choices()).hasSize(3);
        List<String> texts = List.of(content(first, 0), content(first, 1), content(first, 2));
        assertThat(texts).doesNotHaveDuplicates();
        ChatCompletion streamed = accumulate(client, params);
        assertThat(List.of(content(streamed, 0), content(streamed, 1), content(streamed, 2)))
                .isEqualTo(texts);
    }

    @Test
    void logprobsBelongToTheText() {
        ChatCompletion completion = client.chat()
                .completions()
                .create(ask(STORY)
                        .maxCompletionTokens(12)
                        .logprobs(true)
                        .topLogprobs(3)
                        .build());
        List<ChatCompletionTokenLogprob> tokens = completion
                .choices()
                .getFirst()
                .logprobs()
                .orElseThrow()
                .content()
                .orElseThrow();
        assertThat(completion.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
        assertThat(tokens).hasSize(12);
        StringBuilder text = new StringBuilder();
        for (ChatCompletionTokenLogprob token : tokens) {
            text.append(token.token());
            assertThat(token.topLogprobs()).hasSize(3);
            // Greedy: the chosen token is the best one.
            assertThat(token.logprob())
                    .isNotPositive()
                    .isEqualTo(token.topLogprobs().getFirst().logprob());
        }
        assertThat(text.toString().strip()).isEqualTo(content(completion, 0).strip());
    }

    @Test
    void stopTextsEndAnAnswer() {
        ChatCompletionCreateParams whole =
                ask("Sort alphabetically: mountain, star, bridge, friend").build();
        String text = content(client.chat().completions().create(whole), 0);
        assertThat(text).contains(", friend");
        ChatCompletionCreateParams stopped =
                whole.toBuilder().stopOfStrings(List.of(", friend", "never")).build();
        ChatCompletion completion = client.chat().completions().create(stopped);
        assertThat(content(completion, 0)).isEqualTo(text.substring(0, text.indexOf(", friend")));
        assertThat(completion.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(content(accumulate(client, stopped), 0)).isEqualTo(content(completion, 0));
    }

    private static ChatCompletionCreateParams.Builder askWithTools() {
        FunctionParameters parameters = FunctionParameters.builder()
                .putAdditionalProperty("type", JsonValue.from("object"))
                .putAdditionalProperty("properties", JsonValue.from(Map.of("city", Map.of("type", "string"))))
                .putAdditionalProperty("required", JsonValue.from(List.of("city")))
                .build();
        return ask("What is the weather in Vienna?")
                .addTool(ChatCompletionFunctionTool.builder()
                        .function(FunctionDefinition.builder()
                                .name("get_weather")
                                .description("Weather of a city")
                                .parameters(parameters)
                                .build())
                        .build());
    }

    private static ChatCompletionMessageFunctionToolCall call(ChatCompletion completion) {
        assertThat(completion.choices().getFirst().finishReason())
                .isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
        var calls = completion.choices().getFirst().message().toolCalls().orElseThrow();
        assertThat(calls).hasSize(1);
        return calls.getFirst().asFunction();
    }

    record City(String city) {}

    @Test
    void callsAToolAndReadsItsResult() {
        ChatCompletionCreateParams.Builder conversation = askWithTools();
        ChatCompletion first = client.chat().completions().create(conversation.build());
        ChatCompletionMessageFunctionToolCall call = call(first);
        assertThat(call.function().name()).isEqualTo("get_weather");
        assertThat(call.function().arguments(City.class)).isEqualTo(new City("Vienna"));
        assertThat(call.id()).matches("[a-zA-Z0-9]{9}");
        ChatCompletion second = client.chat()
                .completions()
                .create(conversation
                        .addMessage(first.choices().getFirst().message())
                        .addMessage(ChatCompletionToolMessageParam.builder()
                                .toolCallId(call.id())
                                .content("{\"sky\": \"sunny\", \"degrees\": 20}")
                                .build())
                        .build());
        assertThat(content(second, 0)).contains("sunny");
        assertThat(second.usage().orElseThrow().promptTokens())
                .isGreaterThan(first.usage().orElseThrow().promptTokens());
    }

    @Test
    void streamsAToolCall() {
        ChatCompletionMessageFunctionToolCall call =
                call(accumulate(client, askWithTools().build()));
        assertThat(call.function().name()).isEqualTo("get_weather");
        assertThat(call.function().arguments(City.class)).isEqualTo(new City("Vienna"));
    }

    enum Language {
        SPANISH,
        ITALIAN,
        GERMAN
    }

    /// What a language is named by; the client derives its schema.
    static final class Named {
        public @Nullable Language language;
        public int confidence;
        public @Nullable List<Boolean> checks;
    }

    @Test
    void answersWithAnObjectOfAClass() {
        for (int i = 0; i < 3; i++) {
            StructuredChatCompletionCreateParams<Named> params = ask(QUESTION)
                    .temperature(0.7 * i)
                    .putAdditionalBodyProperty("seed", JsonValue.from(i))
                    .responseFormat(Named.class)
                    .build();
            Named named = client.chat()
                    .completions()
                    .create(params)
                    .choices()
                    .getFirst()
                    .message()
                    .content()
                    .orElseThrow();
            assertThat(named.language).isNotNull();
            assertThat(named.checks).isNotNull();
        }
    }

    /// The arguments of a tool; the client derives its schema.
    @JsonTypeName("get_weather")
    @JsonClassDescription("Weather of a city")
    static final class GetWeather {
        public @Nullable String city;
    }

    @Test
    void callsAToolThatIsAClass() {
        ChatCompletionCreateParams params = ask("What is the weather in Vienna?")
                .addTool(GetWeather.class)
                .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                .build();
        ChatCompletionMessageFunctionToolCall called =
                call(client.chat().completions().create(params));
        assertThat(called.function().arguments(GetWeather.class).city).isEqualTo("Vienna");
        assertThat(call(accumulate(client, params)).function().arguments())
                .isEqualTo(called.function().arguments());
    }

    @Test
    void aSchemaThatCannotBeEnforcedIsABadRequest() {
        var schema = ResponseFormatJsonSchema.JsonSchema.builder()
                .name("p")
                .schema(ResponseFormatJsonSchema.JsonSchema.Schema.builder()
                        .putAdditionalProperty("pattern", JsonValue.from("(?<=x)y"))
                        .build())
                .build();
        BadRequestException error = catchThrowableOfType(
                BadRequestException.class,
                () -> client.chat()
                        .completions()
                        .create(ask(QUESTION)
                                .responseFormat(ResponseFormatJsonSchema.builder()
                                        .jsonSchema(schema)
                                        .build())
                                .build()));
        assertThat(error.code()).contains("invalid_json_schema");
        assertThat(error.getMessage()).contains("#: 'pattern'");
    }

    @Test
    void completesPlainText() {
        CompletionCreateParams params = CompletionCreateParams.builder()
                .model(TinyServer.MODEL)
                .promptOfArrayOfStrings(List.of("Once upon a time", "Madrid is"))
                .temperature(0)
                .maxTokens(5)
                .build();
        Completion completion = client.completions().create(params);
        assertThat(completion.choices())
                .hasSize(2)
                .allSatisfy(choice -> assertThat(choice.text()).isNotEmpty());
        StringBuilder streamed = new StringBuilder();
        try (StreamResponse<Completion> pieces = client.completions().createStreaming(params)) {
            pieces.stream().flatMap(piece -> piece.choices().stream()).forEach(choice -> {
                if (choice.index() == 1) {
                    streamed.append(choice.text());
                }
            });
        }
        assertThat(streamed.toString()).isEqualTo(completion.choices().get(1).text());
    }

    @Test
    void listsItsModels() {
        List<Model> models = client.models().list().data();
        assertThat(models).extracting(Model::id).containsExactly(TinyServer.MODEL);
        assertThat(client.models().retrieve(TinyServer.MODEL).validate()).isEqualTo(models.getFirst());
    }

    @Test
    void aWrongKeyIsUnauthorized() {
        assertThatThrownBy(() -> client("wrong").models().list())
                .isInstanceOfSatisfying(
                        UnauthorizedException.class, e -> assertThat(e.code()).contains("invalid_api_key"));
    }

    @Test
    void anUnknownModelIsNotFound() {
        NotFoundException error = catchThrowableOfType(
                NotFoundException.class,
                () -> client.chat()
                        .completions()
                        .create(ask(QUESTION).model("gpt-9").build()));
        assertThat(error.code()).contains("model_not_found");
        assertThat(error.getMessage()).contains("gpt-9");
    }

    @Test
    void aLongPromptIsABadRequestThatAgentsKnow() {
        BadRequestException error = catchThrowableOfType(
                BadRequestException.class,
                () -> client.chat()
                        .completions()
                        .create(ask("lake sun ".repeat(4096)).build()));
        assertThat(error.code()).contains("context_length_exceeded");
        assertThat(error.param()).contains("messages");
        assertThat(error.getMessage()).contains("maximum context length is 4096 tokens");
    }

    @Test
    void aValueOutOfRangeIsNamed() {
        BadRequestException error = catchThrowableOfType(
                BadRequestException.class,
                () -> client.chat()
                        .completions()
                        .create(ask(QUESTION).temperature(2.5).build()));
        assertThat(error.param()).contains("temperature");
        assertThat(error.code()).contains("decimal_above_max_value");
        assertThat(error.type()).contains("invalid_request_error");
    }

    @Test
    void tooManyRequestsOfAKeyAreTurnedAway() throws InterruptedException {
        OpenAIClient busy = client("key-of-a-busy-client");
        // As many as a key may have at once.
        try (StreamResponse<ChatCompletionChunk> first =
                        busy.chat().completions().createStreaming(endless());
                StreamResponse<ChatCompletionChunk> second =
                        busy.chat().completions().createStreaming(endless())) {
            assertThat(first.stream().iterator().hasNext()).isTrue();
            assertThat(second.stream().iterator().hasNext()).isTrue();
            RateLimitException error = catchThrowableOfType(
                    RateLimitException.class,
                    () -> busy.chat().completions().create(ask(QUESTION).build()));
            assertThat(error.code()).contains("rate_limit_exceeded");
            assertThat(error.headers().values("Retry-After"))
                    .singleElement()
                    .asString()
                    .matches("[0-9]+");
        }
        server.awaitIdle();
    }

    @Test
    void closingAStreamEndsItsComputation() throws InterruptedException {
        try (StreamResponse<ChatCompletionChunk> chunks =
                client.chat().completions().createStreaming(endless())) {
            Iterator<ChatCompletionChunk> iterator = chunks.stream().iterator();
            for (int i = 0; i < 5; i++) {
                assertThat(iterator.next().choices()).hasSize(1);
            }
            assertThat(server.numActive()).isEqualTo(1);
        }
        server.awaitIdle();
    }
}

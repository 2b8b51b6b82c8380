package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationEvent.ToolCallDelta;
import dev.mixtral.engine.GenerationEvent.ToolCalls;
import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.CompiledGrammar;
import dev.mixtral.grammar.Grammar;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.sampling.TokenLogprob;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Answers of the embedded model under constraints.
@TestInstance(Lifecycle.PER_CLASS)
class ConstraintTest {
    private static final JsonMapper MAPPER = new JsonMapper();
    private static final List<Message> WEATHER = List.of(Message.user("What is the weather in Rome?"));
    private static final JsonNode CITY =
            json("{'type':'object','properties':{'city':{'type':'string'}},'required':['city']}");
    private static final List<ToolDefinition> TOOLS = List.of(
            new ToolDefinition("get_weather", "Weather of a city", CITY),
            new ToolDefinition("get_time", "Time in a city", CITY));

    private final Engine engine = Engine.load(
            Path.of("..", "models", "mixtral-tiny"), EngineConfig.defaults().withNumThreads(2));

    @AfterAll
    void close() {
        engine.close();
    }

    private static JsonNode json(String text) {
        return MAPPER.readTree(text.replace('\'', '"'));
    }

    private CompiledGrammar schema(String schema) {
        return engine.grammars().compile(new Grammar.JsonSchema(json(schema)));
    }

    private CompiledGrammar calls(int max) {
        return engine.grammars()
                .compile(new Grammar.Calls(
                        TOOLS.stream()
                                .map(tool -> new Grammar.Function(tool.name(), tool.parameters()))
                                .toList(),
                        max,
                        ""));
    }

    private record Answer(
            String text, List<ToolCallDelta> pieces, List<ToolCall> calls, List<TokenLogprob> logprobs, Finished end) {
        String arguments(int index) {
            return pieces.stream()
                    .filter(piece -> piece.index() == index)
                    .map(ToolCallDelta::arguments)
                    .collect(Collectors.joining());
        }
    }

    private Answer ask(GenerationRequest request) {
        return read(engine.generate(request));
    }

    private static Answer read(Generation generation) {
        StringBuilder text = new StringBuilder();
        List<ToolCallDelta> pieces = new ArrayList<>();
        List<ToolCall> calls = new ArrayList<>();
        List<TokenLogprob> logprobs = new ArrayList<>();
        List<Finished> ends = new ArrayList<>();
        for (GenerationEvent event : generation) {
            switch (event) {
                case TextDelta(String piece, List<TokenLogprob> more) -> {
                    text.append(piece);
                    logprobs.addAll(more);
                }
                case ToolCallDelta piece -> pieces.add(piece);
                case ToolCalls(List<ToolCall> more) -> calls.addAll(more);
                case Finished finished -> ends.add(finished);
                case GenerationEvent.Started _, GenerationEvent.Routed _ -> {}
            }
        }
        assertThat(ends).hasSize(1);
        return new Answer(text.toString(), pieces, calls, logprobs, ends.getFirst());
    }

    private GenerationRequest request(SamplingParams params, OutputConstraint constraint) {
        return engine.chat(WEATHER, TOOLS, params).withConstraint(constraint);
    }

    private static SamplingParams.Builder drawn(long seed) {
        return SamplingParams.builder().temperature(1.5).seed(seed);
    }

    @Test
    void anAnswerIsATextOfTheGrammar() {
        var schema =
                schema("{'type':'object','properties':{'city':{'enum':['Rome','Oslo']},'degrees':{'type':'integer',"
                        + "'minimum':-50,'maximum':50}},'required':['city','degrees'],'additionalProperties':false}");
        for (long seed = 0; seed < 20; seed++) {
            Answer answer = ask(request(drawn(seed).build(), new OutputConstraint.Text(schema)));
            JsonNode value = MAPPER.readTree(answer.text());
            assertThat(value.path("city").asString()).isIn("Rome", "Oslo");
            assertThat(value.path("degrees").asInt()).isBetween(-50, 50);
            assertThat(value).hasSize(2);
            assertThat(answer.end().reason()).isEqualTo(FinishReason.STOP);
            assertThat(answer.calls()).isEmpty();
        }
    }

    @Test
    void theMaskComesBeforeEverythingElse() {
        var choice = engine.grammars().compile(new Grammar.Choice(List.of("yes", "no")));
        int x = engine.tokenizer().encode("x")[0];
        var hostile = drawn(1).logitBias(Map.of(x, 100f, engine.tokenizer().eosId(), -100f))
                .topK(1)
                .minP(0.9)
                .frequencyPenalty(2)
                .topLogprobs(2)
                .build();
        Answer answer = ask(request(hostile, new OutputConstraint.Text(choice)));
        assertThat(answer.text()).isIn("yes", "no");
        // The model's own distribution, in which the chosen token need not be among the best.
        assertThat(answer.logprobs()).isNotEmpty().allSatisfy(token -> {
            assertThat(token.logprob()).isFinite().isNotPositive();
            assertThat(token.top()).hasSize(2);
        });
        assertThat(answer.logprobs().getFirst().logprob())
                .isLessThan(answer.logprobs().getFirst().top().getFirst().logprob());
    }

    @Test
    void forcedCallsAreCalls() {
        for (long seed = 0; seed < 20; seed++) {
            Generation generation = engine.generate(request(drawn(seed).build(), new OutputConstraint.Calls(calls(3))));
            Answer answer = read(generation);
            assertThat(generation.generatedIds()[0])
                    .isEqualTo(engine.tokenizer().controlId("[TOOL_CALLS]").orElseThrow());
            assertThat(answer.text()).isEmpty();
            assertThat(answer.end().reason()).isEqualTo(FinishReason.TOOL_CALLS);
            assertThat(answer.calls()).hasSizeBetween(1, 3);
            for (int i = 0; i < answer.calls().size(); i++) {
                ToolCall call = answer.calls().get(i);
                assertThat(call.name()).isIn("get_weather", "get_time");
                assertThat(call.id()).matches("[a-zA-Z0-9]{9}");
                assertThat(MAPPER.readTree(call.arguments()).path("city").isString())
                        .isTrue();
                assertThat(answer.arguments(i)).isEqualTo(call.arguments());
            }
        }
    }

    @Test
    void aCallThatIsCutOffIsToldAsFarAsItCame() {
        Answer answer =
                ask(request(SamplingParams.greedy().maxTokens(16).build(), new OutputConstraint.Calls(calls(1))));
        assertThat(answer.end().reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(answer.text()).isEmpty();
        assertThat(answer.calls()).isEmpty();
        assertThat(answer.pieces().getFirst().name()).isIn("get_weather", "get_time");
        assertThat(answer.arguments(0)).startsWith("{").doesNotEndWith("}");
    }

    @Test
    void theModelDecidesWhereItMay() {
        var auto = new OutputConstraint.TextOrCalls(null, calls(16));
        Answer call = ask(request(SamplingParams.greedy().build(), auto));
        assertThat(call.end().reason()).isEqualTo(FinishReason.TOOL_CALLS);
        assertThat(call.calls()).hasSize(1);
        assertThat(MAPPER.readTree(call.calls().getFirst().arguments())).isEqualTo(json("{'city':'Rome'}"));
        GenerationRequest other = engine.chat(
                List.of(Message.user("Say this in Italian: The queen smiles.")),
                List.of(),
                SamplingParams.greedy().build());
        Answer free = ask(other.withConstraint(auto));
        assertThat(free.text()).isEqualTo(ask(other).text()).isEqualTo("La regina sorride.");
        assertThat(free.end().reason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void aBoundTextOrACall() {
        var either = new OutputConstraint.TextOrCalls(
                new OutputConstraint.Text(schema("{'type':'array','items':{'type':'boolean'},'maxItems':3}")),
                calls(1));
        int toolCalls = engine.tokenizer().controlId("[TOOL_CALLS]").orElseThrow();
        Answer text = ask(request(
                SamplingParams.greedy().logitBias(Map.of(toolCalls, -1e4f)).build(), either));
        assertThat(MAPPER.readTree(text.text()).isArray()).isTrue();
        assertThat(text.calls()).isEmpty();
        Answer call = ask(request(SamplingParams.greedy().build(), either));
        assertThat(call.calls()).hasSize(1);
        assertThat(call.text()).isEmpty();
    }

    @Test
    void aTextGoesOnWithItsBeginning() {
        var grammar = schema("{'type':'object','properties':{'ok':{'type':'boolean'}},'required':['ok'],"
                + "'additionalProperties':false}");
        String begun = "{\"ok\":";
        int[] prompt = IntStream.concat(
                        IntStream.of(engine.tokenizer().bosId()),
                        IntStream.of(engine.tokenizer().encode("Answer: " + begun)))
                .toArray();
        GenerationRequest request =
                new GenerationRequest(prompt, SamplingParams.greedy().build()).withContinuation(true);
        Answer answer = ask(request.withConstraint(new OutputConstraint.Text(grammar, begun)));
        assertThat(MAPPER.readTree(begun + answer.text()).path("ok").isBoolean())
                .isTrue();
        assertThatThrownBy(() -> engine.generate(request.withConstraint(new OutputConstraint.Text(grammar, "Well,"))))
                .isInstanceOf(GrammarException.class);
        Answer own = ask(request.withConstraint(
                new OutputConstraint.Text(engine.grammars().compile(new Grammar.Choice(List.of(" true", "false"))))));
        assertThat(own.text()).isIn(" true", "false");
    }

    @Test
    void stopTextsEndBoundTextsButNotArguments() {
        var stops = SamplingParams.greedy().stop(List.of("Rome")).build();
        Answer call = ask(request(stops, new OutputConstraint.Calls(calls(1))));
        assertThat(call.end().reason()).isEqualTo(FinishReason.TOOL_CALLS);
        assertThat(call.calls().getFirst().arguments()).contains("Rome");
        Answer text = ask(request(
                stops,
                new OutputConstraint.Text(
                        schema("{'type':'object','properties':{'city':{'const':'Rome'}}," + "'required':['city']}"))));
        assertThat(text.text()).doesNotContain("Rome").endsWith("\"");
        assertThat(text.end().reason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void anAnswerThatCannotBeFollowedFailsAlone() {
        // Every letter that was read may be the one that counts, each with another place where the text ends.
        String pattern = IntStream.rangeClosed('a', 'z')
                .mapToObj(c -> ".*" + (char) c + ".{" + (900 + c) + "}")
                .collect(Collectors.joining("|"));
        var costly = engine.grammars().compile(new Grammar.Regex(pattern));
        GenerationRequest free = engine.chat(
                List.of(Message.user("Say this in Italian: The queen smiles.")),
                List.of(),
                SamplingParams.greedy().build());
        List<Generation> both =
                engine.generate(List.of(request(drawn(3).build(), new OutputConstraint.Text(costly)), free));
        assertThatThrownBy(() -> read(both.getFirst())).isInstanceOf(GrammarException.class);
        assertThat(read(both.getLast()).text()).isEqualTo("La regina sorride.");
        assertThat(ask(free).text()).isEqualTo("La regina sorride.");
    }
}

package dev.mixtral.server.api;

import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.engine.OutputConstraint;
import dev.mixtral.error.MixtralException;
import dev.mixtral.sampling.TokenLogprob;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.api.ChatModel.Choice;
import dev.mixtral.server.wire.AnswerHead;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.ChoiceResult;
import dev.mixtral.server.wire.CompletionRequest;
import dev.mixtral.server.wire.CompletionRequest.TextPrompt;
import dev.mixtral.server.wire.CompletionRequestReader;
import dev.mixtral.server.wire.Json;
import dev.mixtral.server.wire.ModelSelection;
import dev.mixtral.server.wire.RoutingWriter;
import dev.mixtral.server.wire.TextWriter;
import dev.mixtral.server.wire.ToolSettings;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers text completions: prompts as they are, without a chat template. Thread-safe.
final class CompletionsHandler {
    private static final String PROMPT_PARAM = "prompt";

    private final Services services;

    CompletionsHandler(Services services) {
        this.services = services;
    }

    /// Carries a request out.
    void handle(Call call) throws InterruptedException {
        handle(call, call.json(), CompletionRequestReader.DEFAULT_MAX_TOKENS);
    }

    /// Same.
    ///
    /// @param defaultMaxTokens most tokens of an answer whose request names no limit; `null` for no limit
    void handle(Call call, ObjectNode body, @Nullable Integer defaultMaxTokens) throws InterruptedException {
        ModelSelection selection = call.dialect() == Dialect.OPENROUTER
                ? ModelSelection.withFallbacks(body, services.config().providerSlug())
                : ModelSelection.single(body);
        ServedModel served = services.select(call, selection).getFirst();
        CompletionRequest request = CompletionRequestReader.read(body, services.rules(call, served), defaultMaxTokens);
        call.usesModel(served.id());
        OutputConstraint constraint = services.constraints()
                .of(served.model(), request.format(), ToolSettings.NONE, Constraints.Begun.NOTHING);
        AnswerHead head = AnswerHead.of(
                call.dialect(),
                "cmpl-",
                served.id(),
                served.model().fingerprint(),
                services.config().providerSlug());
        TextWriter writer =
                new TextWriter(head, request, served.model().tokenizer(), CompletionRequestReader.showsLogprobs(body));
        Job job = new Job(
                served.model(),
                request,
                prompts(served.model(), request),
                CompletionRequestReader.showsLogprobs(body),
                constraint);
        Runnable end = services.begin(call);
        try (GenerationRun run = services.tracked(start(call, job))) {
            if (request.stream().isStream()) {
                stream(call, job, run, writer);
            } else {
                collect(call, job, run, writer);
            }
        } catch (MixtralException e) {
            throw new ApiException(
                    EngineErrors.afterAdmission(e, PROMPT_PARAM, call.head().id()));
        } finally {
            end.run();
        }
    }

    /// A request, its model, its prompts' ids, and what binds the answers.
    private record Job(
            ChatModel model,
            CompletionRequest request,
            List<int[]> prompts,
            boolean showLogprobs,
            @Nullable OutputConstraint constraint) {
        Tokenizer tokenizer() {
            return model.tokenizer();
        }

        /// Returns the prompt as it is echoed; nothing if that is not wanted.
        String echo(int prompt) {
            if (!request.echo()) {
                return "";
            }
            return switch (request.prompts().get(prompt)) {
                case TextPrompt.Text(String text) -> text;
                case TextPrompt.Ids(int[] ids) -> model.tokenizer().decode(ids);
            };
        }

        /// Returns log-probabilities of the echoed prompt's tokens; BOS, which nobody wrote, left out.
        List<TokenLogprob> echoLogprobs(int prompt) {
            Integer top = request.sampling().topLogprobs();
            if (!request.echo() || !showLogprobs || top == null) {
                return List.of();
            }
            int[] ids = prompts.get(prompt);
            List<TokenLogprob> all = model.promptLogprobs(ids, top);
            return model.tokenizer().isControl(ids[0]) ? all.subList(1, all.size()) : all;
        }

        /// Returns which prompt a choice continues.
        int promptOf(int choice) {
            return choice / request.bestOf();
        }
    }

    private static List<int[]> prompts(ChatModel model, CompletionRequest request) {
        List<int[]> prompts = new ArrayList<>();
        for (TextPrompt prompt : request.prompts()) {
            prompts.add(
                    switch (prompt) {
                        case TextPrompt.Text(String text) ->
                            IntStream.concat(
                                            IntStream.of(model.tokenizer().bosId()),
                                            IntStream.of(model.tokenizer().encode(text)))
                                    .toArray();
                        case TextPrompt.Ids(int[] ids) -> ids;
                    });
        }
        return prompts;
    }

    private GenerationRun start(Call call, Job job) {
        CompletionRequest request = job.request();
        int bannedId = job.tokenizer().controlId("[TOOL_CALLS]").orElse(-1);
        List<GenerationRequest> requests = new ArrayList<>();
        List<ChoiceState> states = new ArrayList<>();
        for (int[] prompt : job.prompts()) {
            for (int i = 0; i < request.bestOf(); i++) {
                requests.add(new GenerationRequest(prompt, request.sampling().params(i, bannedId))
                        .withClient(call.client())
                        .withRouting(request.extras().routing())
                        .withContinuation(true)
                        .withConstraint(job.constraint()));
                states.add(new ChoiceState(ToolSettings.NONE, new CallIds(0L, prompt, i), "", false));
            }
        }
        Integer maxTokens = request.sampling().maxTokens();
        List<Choice> choices = maxTokens != null && maxTokens == 0
                ? requests.stream()
                        .<Choice>map(asked -> new NoTokens(asked.prompt().length))
                        .toList()
                : services.start(call, job.model(), requests, PROMPT_PARAM);
        return new GenerationRun(call, new ChoiceEvents(choices), states, request.bestOf());
    }

    private void collect(Call call, Job job, GenerationRun run, TextWriter writer) throws InterruptedException {
        boolean wantsRouting = job.request().extras().routing();
        ArrayNode routing = Json.array();
        run.tell(
                new GenerationRun.Listener() {
                    @Override
                    public void routed(int choice, Routed routed) {
                        routing.add(entry(job, choice, routed));
                    }
                },
                services.config().keepAliveInterval());
        List<TextWriter.Choice> choices = new ArrayList<>();
        for (int prompt = 0; prompt < job.prompts().size(); prompt++) {
            List<TokenLogprob> echoed = job.echoLogprobs(prompt);
            for (ChoiceResult result : best(run, prompt, job.request())) {
                choices.add(new TextWriter.Choice(result, job.echo(prompt), echoed));
            }
        }
        call.respond(200, writer.completion(choices, run.usage(), wantsRouting ? routing : null));
    }

    /// Returns the choices of a prompt that the client gets, the most probable per token first if there are more.
    private static List<ChoiceResult> best(GenerationRun run, int prompt, CompletionRequest request) {
        int from = prompt * request.bestOf();
        List<ChoiceResult> results = run.choices().subList(from, from + request.bestOf()).stream()
                .map(ChoiceState::result)
                .toList();
        return request.bestOf() == request.numChoices()
                ? results
                : results.stream()
                        .sorted(Comparator.comparingDouble(result -> -meanLogprob(result)))
                        .limit(request.numChoices())
                        .toList();
    }

    private static double meanLogprob(ChoiceResult result) {
        return result.logprobs().stream()
                .mapToDouble(TokenLogprob::logprob)
                .average()
                .orElse(Double.NEGATIVE_INFINITY);
    }

    private static ObjectNode entry(Job job, int choice, Routed routed) {
        return RoutingWriter.entry(
                job.tokenizer(),
                job.prompts().size() * job.request().bestOf() > 1 ? choice : -1,
                routed.position(),
                routed.tokenId(),
                routed.experts(),
                routed.weights(),
                job.model().numExpertsPerToken());
    }

    private void stream(Call call, Job job, GenerationRun run, TextWriter writer) throws InterruptedException {
        List<List<TokenLogprob>> echoed = new ArrayList<>();
        for (int i = 0; i < job.prompts().size(); i++) {
            echoed.add(job.echoLogprobs(i));
        }
        run.awaitStart(services.config().streamStartDelay());
        SseWriter out = new SseWriter(call.startStream(), services.config().keepAlive());
        try {
            for (int i = 0; i < run.choices().size() && job.request().echo(); i++) {
                int prompt = job.promptOf(i);
                out.event(writer.echo(i, job.echo(prompt), echoed.get(prompt)));
            }
            run.tell(listener(job, run, writer, out), services.config().keepAliveInterval());
            out.eventIfAny(writer.usage(run.usage()));
            out.done();
        } catch (ApiException e) {
            call.failed(e.error().message());
            out.fail(writer.error(e.error()));
        } catch (MixtralException e) {
            call.failed(String.valueOf(e.getMessage()));
            out.fail(writer.error(
                    EngineErrors.afterAdmission(e, PROMPT_PARAM, call.head().id())));
        }
    }

    private static GenerationRun.Listener listener(Job job, GenerationRun run, TextWriter writer, SseWriter out) {
        return new GenerationRun.Listener() {
            @Override
            public void text(int choice, TextDelta delta) {
                int before =
                        run.choices().get(choice).textLength() - delta.text().length();
                int offset = job.echo(job.promptOf(choice)).length() + before;
                out.event(writer.text(choice, delta.text(), delta.logprobs(), offset));
            }

            @Override
            public void routed(int choice, Routed routed) {
                out.event(writer.routing(choice, Json.array().add(entry(job, choice, routed))));
            }

            @Override
            public void finished(int choice, boolean isLast) {
                out.event(writer.finish(choice, run.choices().get(choice).finishReason(), isLast ? run.usage() : null));
            }

            @Override
            public void idle() {
                out.keepAlive(writer.nothing(0));
            }
        };
    }
}

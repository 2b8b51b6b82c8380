package dev.mixtral.server.api;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.engine.GenerationEvent.Routed;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.error.MixtralException;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.api.ChatRuns.Prompt;
import dev.mixtral.server.wire.AnswerHead;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.ChatRequest;
import dev.mixtral.server.wire.ChatRequestReader;
import dev.mixtral.server.wire.ChatWriter;
import dev.mixtral.server.wire.Json;
import dev.mixtral.server.wire.ModelSelection;
import dev.mixtral.server.wire.RoutingWriter;
import dev.mixtral.tokenizer.Tokenizer;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Answers chat completions. Thread-safe.
final class ChatHandler {
    private static final String PROMPT_PARAM = "messages";
    private static final int TOO_MANY_REQUESTS = 429;

    private final Services services;
    private final CompletionsHandler completions;
    private final ChatRuns runs;

    /// @param completions carries out what is no chat
    ChatHandler(Services services, CompletionsHandler completions) {
        this.services = services;
        this.completions = completions;
        this.runs = new ChatRuns(services, PROMPT_PARAM);
    }

    /// Carries a request out.
    void handle(Call call) throws InterruptedException {
        ObjectNode body = call.json();
        if (call.dialect() == Dialect.OPENROUTER && !body.hasNonNull("messages") && body.hasNonNull("prompt")) {
            // OpenRouter takes either, and answers a prompt with a text.
            completions.handle(call, body, null);
            return;
        }
        ModelSelection selection = call.dialect() == Dialect.OPENROUTER
                ? ModelSelection.withFallbacks(body, services.config().providerSlug())
                : ModelSelection.single(body);
        List<ServedModel> candidates = services.select(call, selection);
        for (int i = 0; i < candidates.size(); i++) {
            ServedModel served = candidates.get(i);
            try {
                ChatRequest request = ChatRequestReader.read(body, services.rules(call, served));
                answer(call, served, request, runs.prompt(call, served.model(), request));
                return;
            } catch (ApiException e) {
                boolean isLast = i == candidates.size() - 1;
                if (isLast || call.hasResponded() || e.error().status() != TOO_MANY_REQUESTS) {
                    throw e;
                }
            }
        }
    }

    /// Fills in the middle, of which only the beginning is there: a plain continuation, answered in chat's form.
    void fim(Call call) throws InterruptedException {
        ObjectNode body = call.json();
        ServedModel served = services.select(call, ModelSelection.single(body)).getFirst();
        ChatRequest request = ChatRequestReader.readFim(body, services.rules(call, served));
        String text = ((UserMessage) request.messages().getFirst()).content();
        Tokenizer tokenizer = served.model().tokenizer();
        int[] ids = IntStream.concat(IntStream.of(tokenizer.bosId()), IntStream.of(tokenizer.encode(text)))
                .toArray();
        answer(call, served, request, new Prompt(ids, true, ""));
    }

    private void answer(Call call, ServedModel served, ChatRequest request, Prompt prompt) throws InterruptedException {
        call.usesModel(served.id());
        Runnable end = services.begin(call);
        try (GenerationRun run = runs.start(call, served.model(), request, prompt)) {
            AnswerHead head = AnswerHead.of(
                    call.dialect(),
                    "chatcmpl-",
                    served.id(),
                    served.model().fingerprint(),
                    services.config().providerSlug());
            ChatWriter writer = new ChatWriter(head, request, served.model().tokenizer());
            if (request.stream().isStream()) {
                stream(call, served.model(), request, run, writer);
            } else {
                collect(call, served.model(), request, run, writer);
            }
        } catch (MixtralException e) {
            throw new ApiException(
                    EngineErrors.afterAdmission(e, PROMPT_PARAM, call.head().id()));
        } finally {
            end.run();
        }
    }

    private void collect(Call call, ChatModel model, ChatRequest request, GenerationRun run, ChatWriter writer)
            throws InterruptedException {
        ArrayNode routing = request.extras().routing() ? Json.array() : null;
        run.tell(
                new GenerationRun.Listener() {
                    @Override
                    public void routed(int choice, Routed routed) {
                        if (routing != null) {
                            routing.add(entry(model, request, choice, routed));
                        }
                    }
                },
                services.config().keepAliveInterval());
        call.respond(
                200,
                writer.completion(
                        run.choices().stream().map(ChoiceState::result).toList(), run.usage(), routing));
    }

    private static ObjectNode entry(ChatModel model, ChatRequest request, int choice, Routed routed) {
        return RoutingWriter.entry(
                model.tokenizer(),
                request.numChoices() > 1 ? choice : -1,
                routed.position(),
                routed.tokenId(),
                routed.experts(),
                routed.weights(),
                model.numExpertsPerToken());
    }

    private void stream(Call call, ChatModel model, ChatRequest request, GenerationRun run, ChatWriter writer)
            throws InterruptedException {
        // What fails before the first token's turn is an answer of its own, not an event.
        run.awaitStart(services.config().streamStartDelay());
        SseWriter out = new SseWriter(call.startStream(), services.config().keepAlive());
        try {
            for (int i = 0; i < request.numChoices(); i++) {
                out.event(writer.role(i));
            }
            for (int i = 0; i < request.numChoices() && !request.prefix().isEmpty(); i++) {
                out.event(writer.text(i, request.prefix(), List.of()));
            }
            Duration patience = services.config().keepAliveInterval();
            run.tell(new StreamListener(model, request, run, writer, out), patience);
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

    /// Writes events as they come; routing entries in batches, as a prompt has one per token.
    private static final class StreamListener implements GenerationRun.Listener {
        private static final int MAX_ROUTING_ENTRIES = 64;

        private final ChatModel model;
        private final ChatRequest request;
        private final GenerationRun run;
        private final ChatWriter writer;
        private final SseWriter out;
        private ArrayNode routing = Json.array();

        StreamListener(ChatModel model, ChatRequest request, GenerationRun run, ChatWriter writer, SseWriter out) {
            this.model = model;
            this.request = request;
            this.run = run;
            this.writer = writer;
            this.out = out;
        }

        @Override
        public void text(int choice, TextDelta delta) {
            flushRouting(choice);
            out.event(writer.text(choice, delta.text(), delta.logprobs()));
        }

        @Override
        public ChoiceCalls.Listener calls(int choice) {
            return new ChoiceCalls.Listener() {
                @Override
                public void callBegun(int index, ToolCall call) {
                    flushRouting(choice);
                    out.eventIfAny(writer.callBegun(choice, index, call));
                }

                @Override
                public void arguments(int index, ToolCall call, String piece) {
                    flushRouting(choice);
                    out.eventIfAny(writer.arguments(choice, index, piece));
                }

                @Override
                public void callEnded(int index, ToolCall call, boolean isCut) {
                    out.eventIfAny(writer.callEnded(choice, index, call));
                }
            };
        }

        @Override
        public void routed(int choice, Routed routed) {
            routing.add(entry(model, request, choice, routed));
            if (routing.size() >= MAX_ROUTING_ENTRIES) {
                flushRouting(choice);
            }
        }

        @Override
        public void finished(int choice, boolean isLast) {
            flushRouting(choice);
            out.event(writer.finish(choice, run.choices().get(choice).finishReason(), isLast ? run.usage() : null));
        }

        @Override
        public void idle() {
            flushRouting(0);
            out.keepAlive(writer.nothing(0));
        }

        private void flushRouting(int choice) {
            if (!routing.isEmpty()) {
                out.event(writer.routing(choice, routing));
                routing = Json.array();
            }
        }
    }
}

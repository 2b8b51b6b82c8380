package dev.mixtral.server.api;

import dev.mixtral.error.MixtralException;
import dev.mixtral.server.Dialect;
import dev.mixtral.server.wire.AnswerHead;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.ChatRequest;
import dev.mixtral.server.wire.Json;
import dev.mixtral.server.wire.ModelSelection;
import dev.mixtral.server.wire.ResponsesRequestReader;
import dev.mixtral.server.wire.ResponsesWriter;
import tools.jackson.databind.node.ObjectNode;

/// Answers `/v1/responses`, without keeping anything of it. Thread-safe.
final class ResponsesHandler {
    private static final String PROMPT_PARAM = "input";

    private final Services services;
    private final ChatRuns runs;

    ResponsesHandler(Services services) {
        this.services = services;
        this.runs = new ChatRuns(services, PROMPT_PARAM);
    }

    /// Carries a request out.
    void handle(Call call) throws InterruptedException {
        ObjectNode body = call.json();
        ModelSelection selection = call.dialect() == Dialect.OPENROUTER
                ? ModelSelection.withFallbacks(body, services.config().providerSlug())
                : ModelSelection.single(body);
        ServedModel served = services.select(call, selection).getFirst();
        ChatRequest request = ResponsesRequestReader.read(body, services.rules(call, served));
        call.usesModel(served.id());
        // The prefix of the dialect is for chat; responses are called the same everywhere.
        AnswerHead head = AnswerHead.of(
                Dialect.OPENAI,
                "resp_",
                served.id(),
                served.model().fingerprint(),
                services.config().providerSlug());
        ResponsesWriter writer = new ResponsesWriter(head, body);
        Runnable end = services.begin(call);
        try (GenerationRun run = start(call, served.model(), request)) {
            if (request.stream().isStream()) {
                stream(call, run, writer);
            } else {
                ResponseItems items = new ResponseItems(writer, event -> {}, () -> {});
                run.tell(items, services.config().keepAliveInterval());
                items.complete(run);
                call.respond(200, writer.response(items.status(), items.output(), run.usage(), null));
            }
        } catch (MixtralException e) {
            throw new ApiException(
                    EngineErrors.afterAdmission(e, PROMPT_PARAM, call.head().id()));
        } finally {
            end.run();
        }
    }

    private GenerationRun start(Call call, ChatModel model, ChatRequest request) throws InterruptedException {
        try {
            return runs.start(call, model, request, runs.prompt(call, model, request));
        } catch (ApiException e) {
            throw ResponsesRequestReader.inItsOwnWords(e);
        }
    }

    private void stream(Call call, GenerationRun run, ResponsesWriter writer) throws InterruptedException {
        run.awaitStart(services.config().streamStartDelay());
        SseWriter out = new SseWriter(call.startStream(), services.config().keepAlive());
        ResponseItems items = new ResponseItems(writer, out::typedEvent, out::comment);
        for (String type : new String[] {"response.created", "response.in_progress"}) {
            ObjectNode event = writer.event(type);
            event.set("response", writer.response("in_progress", Json.array(), null, null));
            out.typedEvent(event);
        }
        try {
            run.tell(items, services.config().keepAliveInterval());
            items.complete(run);
            ObjectNode last = writer.event("response." + items.status());
            last.set("response", writer.response(items.status(), items.output(), run.usage(), null));
            out.typedEvent(last);
            out.end();
        } catch (ApiException e) {
            fail(call, e, items, writer, out);
        } catch (MixtralException e) {
            fail(
                    call,
                    new ApiException(EngineErrors.afterAdmission(
                            e, PROMPT_PARAM, call.head().id())),
                    items,
                    writer,
                    out);
        }
    }

    private static void fail(Call call, ApiException e, ResponseItems items, ResponsesWriter writer, SseWriter out) {
        call.failed(e.error().message());
        ObjectNode event = writer.event("response.failed");
        event.set("response", writer.response("failed", items.output(), null, e.error()));
        out.typedEvent(event);
        out.end();
    }
}

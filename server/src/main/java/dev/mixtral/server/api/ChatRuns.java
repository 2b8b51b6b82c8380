package dev.mixtral.server.api;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.engine.GenerationRequest;
import dev.mixtral.engine.OutputConstraint;
import dev.mixtral.error.MixtralException;
import dev.mixtral.server.api.ChatModel.Choice;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.ChatRequest;
import java.util.ArrayList;
import java.util.List;

/// Starts the generations of conversations. Thread-safe.
final class ChatRuns {
    private final Services services;
    private final String promptParam;

    /// @param promptParam the field that holds the conversation, for errors
    ChatRuns(Services services, String promptParam) {
        this.services = services;
        this.promptParam = promptParam;
    }

    /// A prompt's ids, and how the answer is joined to it.
    ///
    /// @param continues whether the answer goes on with the prompt's text
    /// @param begun that text, if it is a message's; a space at its end is left out of the ids by templates
    record Prompt(int[] ids, boolean continues, String begun) {}

    /// Renders a conversation.
    ///
    /// @throws ApiException if the model's template has no place for it
    Prompt prompt(Call call, ChatModel model, ChatRequest request) {
        String begun = request.messages().getLast() instanceof AssistantMessage last && last.content() != null
                ? last.content()
                : "";
        try {
            int[] ids = model.renderChat(request.messages(), request.tools().tools());
            return new Prompt(ids, !begun.isEmpty(), begun);
        } catch (MixtralException e) {
            throw new ApiException(
                    EngineErrors.toApi(e, promptParam, call.head().id()));
        }
    }

    /// Starts all choices of a request.
    ///
    /// @throws ApiException if they cannot be accepted
    GenerationRun start(Call call, ChatModel model, ChatRequest request, Prompt prompt) throws InterruptedException {
        OutputConstraint constraint = services.constraints()
                .of(
                        model,
                        request.format(),
                        request.tools(),
                        new Constraints.Begun(prompt.begun(), !request.prefix().isEmpty()));
        int bannedId = request.tools().mayCall()
                ? -1
                : model.tokenizer().controlId("[TOOL_CALLS]").orElse(-1);
        List<GenerationRequest> requests = new ArrayList<>();
        List<ChoiceState> states = new ArrayList<>();
        for (int i = 0; i < request.numChoices(); i++) {
            requests.add(new GenerationRequest(prompt.ids(), request.sampling().params(i, bannedId))
                    .withClient(call.client())
                    .withRouting(request.extras().routing())
                    .withContinuation(prompt.continues())
                    .withConstraint(constraint));
            CallIds ids = new CallIds(request.sampling().seed(), prompt.ids(), i);
            ChoiceState state = new ChoiceState(
                    request.tools(), ids, request.prefix(), prompt.begun().endsWith(" "));
            if (request.tools().mayCall() && model.writesCallsAsText()) {
                state.findCallsInText();
            }
            states.add(state);
        }
        Integer maxTokens = request.sampling().maxTokens();
        List<Choice> choices = maxTokens != null && maxTokens == 0
                ? requests.stream()
                        .<Choice>map(ignored -> new NoTokens(prompt.ids().length))
                        .toList()
                : services.start(call, model, requests, promptParam);
        return services.tracked(new GenerationRun(call, new ChoiceEvents(choices), states, request.numChoices()));
    }
}

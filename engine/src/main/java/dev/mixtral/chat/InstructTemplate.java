package dev.mixtral.chat;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.TokenizerVersion;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Mistral's own instruct formats, id for id as mistral-common. Immutable and thread-safe.
///
/// ```text
/// v1   <s> [INST] system\n\nuser [/INST] answer</s> [INST] user [/INST]           [INST] is text
/// v3   <s>[INST] user[/INST] answer</s>[AVAILABLE_TOOLS] […][/AVAILABLE_TOOLS][INST] system\n\nuser[/INST]
///      [TOOL_CALLS] […]</s>[TOOL_RESULTS] {…}[/TOOL_RESULTS]                      [X] are control tokens
/// ```
///
/// Every text between control tokens is encoded by itself, so it starts with SentencePiece's dummy space, and nothing
/// in it becomes a control token. Source: `tokens/tokenizers/instruct.py` of mistral-common 1.11.7.
public final class InstructTemplate implements ChatTemplate {
    /// What to do with messages in an order that the format does not have.
    public enum Mode {
        /// Reject what mistral-common rejects.
        STRICT,
        /// Reorder and join, as chat clients expect.
        LENIENT
    }

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final Tokenizer tokenizer;
    private final TokenizerVersion version;
    private final Mode mode;

    /// Makes a template.
    ///
    /// @param tokenizer must have the control tokens of the version
    /// @param version the format
    /// @param mode what to do with an unusual order of messages
    public InstructTemplate(Tokenizer tokenizer, TokenizerVersion version, Mode mode) {
        this.tokenizer = tokenizer;
        this.version = version;
        this.mode = mode;
    }

    /// Returns the lenient template of the tokenizer's own version.
    public static InstructTemplate of(Tokenizer tokenizer) {
        return new InstructTemplate(tokenizer, tokenizer.version(), Mode.LENIENT);
    }

    @Override
    public Prompt render(List<Message> messages, List<ToolDefinition> tools) {
        Conversation conversation = switch (mode) {
            case STRICT -> new StrictNormalizer(version).normalize(messages, tools, false);
            case LENIENT -> LenientNormalizer.normalize(messages);
        };
        if (mode == Mode.STRICT) {
            checkOneKind(conversation.messages());
        }
        return encode(conversation, tools);
    }

    /// Renders messages as they are, without a check of their order; for training data and comparisons.
    ///
    /// @param systemPrompt instructions, or empty
    /// @param messages user, assistant and tool messages
    /// @param tools the functions on offer
    /// @param continueFinal whether the last message, an assistant's, is left without its end token
    public Prompt renderAsIs(
            String systemPrompt, List<Message> messages, List<ToolDefinition> tools, boolean continueFinal) {
        return encode(new Conversation(systemPrompt, messages, continueFinal), tools);
    }

    /// Renders messages as they are, and tells which ids each of them became; for training data.
    ///
    /// @param systemPrompt instructions, or empty
    /// @param messages user, assistant and tool messages
    /// @param tools the functions on offer
    public Turns renderTurns(String systemPrompt, List<Message> messages, List<ToolDefinition> tools) {
        int[] ends = new int[messages.size()];
        Prompt prompt = encode(new Conversation(systemPrompt, messages, false), tools, ends);
        return new Turns(prompt.ids(), ends);
    }

    /// A rendered conversation and its parts.
    ///
    /// @param ids token ids, BOS first
    /// @param ends for each message, the index behind its last id
    public record Turns(int[] ids, int[] ends) {}

    /// Returns the ids of an answer as the model has to write it behind a prompt: text or calls, and the end token
    /// unless the answer is a prefix.
    public int[] answer(AssistantMessage answer) {
        PromptBuilder ids = new PromptBuilder(tokenizer);
        encodeAnswer(answer, false, false, ids);
        return ids.build().ids();
    }

    private Prompt encode(Conversation conversation, List<ToolDefinition> tools) {
        return encode(conversation, tools, new int[conversation.messages().size()]);
    }

    /// @param ends filled with the index behind the last id of each message
    private Prompt encode(Conversation conversation, List<ToolDefinition> tools, int[] ends) {
        List<Message> messages = conversation.messages();
        int firstUser = -1;
        int lastUser = -1;
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i) instanceof UserMessage) {
                firstUser = firstUser < 0 ? i : firstUser;
                lastUser = i;
            }
        }
        PromptBuilder prompt = new PromptBuilder(tokenizer).id(tokenizer.bosId());
        for (int i = 0; i < messages.size(); i++) {
            switch (messages.get(i)) {
                case UserMessage(String content) -> {
                    boolean hasSystem = i == (version == TokenizerVersion.V1 ? firstUser : lastUser)
                            && !conversation.systemPrompt().isEmpty();
                    String text = hasSystem ? conversation.systemPrompt() + TurnMerger.SEPARATOR + content : content;
                    encodeUser(text, i == lastUser ? tools : List.of(), prompt);
                }
                case AssistantMessage answer -> {
                    boolean isOpen = conversation.continueFinal() && i == messages.size() - 1;
                    encodeAnswer(answer, i < lastUser, isOpen, prompt);
                }
                case ToolMessage result -> encodeResult(result, i < lastUser, prompt);
                case SystemMessage _ ->
                    throw new IllegalArgumentException("a system message is no turn; pass it as the system prompt");
            }
            ends[i] = prompt.numIds();
        }
        return prompt.build();
    }

    private void encodeUser(String text, List<ToolDefinition> tools, PromptBuilder prompt) {
        if (version == TokenizerVersion.V1) {
            prompt.segment("[INST] " + text + " [/INST]");
            return;
        }
        if (!tools.isEmpty()) {
            prompt.control("[AVAILABLE_TOOLS]")
                    .segment(PythonJson.dumps(toolsJson(tools)))
                    .control("[/AVAILABLE_TOOLS]");
        }
        prompt.control("[INST]").segment(text).control("[/INST]");
    }

    private void encodeAnswer(AssistantMessage answer, boolean isHistory, boolean isOpen, PromptBuilder prompt) {
        boolean hasCalls = !answer.toolCalls().isEmpty();
        if (hasCalls && version == TokenizerVersion.V1) {
            throw noTools();
        }
        String content = answer.content();
        boolean hasContent = content != null && !content.isEmpty();
        boolean dropsCalls = hasCalls && version == TokenizerVersion.V2 && isHistory;
        if (dropsCalls && !hasContent) {
            return;
        }
        if (content != null) {
            prompt.segment(version == TokenizerVersion.V1 ? content : withoutTrailingSpaces(content));
        }
        if (hasCalls && !dropsCalls) {
            prompt.control("[TOOL_CALLS]").segment(PythonJson.dumps(callsJson(answer.toolCalls())));
        }
        if (!isOpen && !answer.prefix()) {
            prompt.id(tokenizer.eosId());
        }
    }

    private void encodeResult(ToolMessage result, boolean isHistory, PromptBuilder prompt) {
        switch (version) {
            case V1 -> throw noTools();
            case V2 -> {
                if (!isHistory) {
                    String name = result.name();
                    ObjectNode json = NODES.objectNode();
                    json.set("name", name == null ? NODES.nullNode() : NODES.stringNode(name));
                    json.set("content", parsed(result.content(), "messages.content"));
                    encodeResult(NODES.arrayNode().add(json), prompt);
                }
            }
            case V3 -> {
                String id = result.toolCallId();
                ObjectNode json = NODES.objectNode();
                json.set("content", parsed(result.content(), "messages.content"));
                json.set("call_id", id == null ? NODES.nullNode() : NODES.stringNode(id));
                encodeResult(json, prompt);
            }
        }
    }

    private static void encodeResult(JsonNode json, PromptBuilder prompt) {
        prompt.control("[TOOL_RESULTS]").segment(PythonJson.dumps(json)).control("[/TOOL_RESULTS]");
    }

    private static ArrayNode toolsJson(List<ToolDefinition> tools) {
        ArrayNode array = NODES.arrayNode();
        for (ToolDefinition tool : tools) {
            ObjectNode function = NODES.objectNode().put("name", tool.name()).put("description", tool.description());
            function.set("parameters", tool.parameters());
            ObjectNode json = NODES.objectNode().put("type", "function");
            json.set("function", function);
            array.add(json);
        }
        return array;
    }

    private ArrayNode callsJson(List<ToolCall> calls) {
        ArrayNode array = NODES.arrayNode();
        for (ToolCall call : calls) {
            ObjectNode json = NODES.objectNode().put("name", call.name());
            json.set("arguments", parsed(call.arguments(), "messages.tool_calls.function.arguments"));
            String id = call.id();
            boolean hasId = id != null && !id.isEmpty() && !id.equals(ToolCall.NO_ID);
            if (version == TokenizerVersion.V3 && hasId) {
                json.put("id", id);
            }
            array.add(json);
        }
        return array;
    }

    /// Returns the value of a JSON text; other text is a string, no text is an empty object.
    private static JsonNode parsed(String text, String param) {
        return text.isEmpty()
                ? NODES.objectNode()
                : PythonJsonReader.loads(text, param).orElseGet(() -> NODES.stringNode(text));
    }

    private static String withoutTrailingSpaces(String text) {
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == ' ') {
            end--;
        }
        return text.substring(0, end);
    }

    /// Joining neighbours can bring text and calls together in one message, which the formats do not have.
    private void checkOneKind(List<Message> messages) {
        for (Message message : messages) {
            if (message instanceof AssistantMessage answer
                    && !answer.toolCalls().isEmpty()) {
                String content = answer.content();
                if (content != null && !content.isEmpty() && version != TokenizerVersion.V1) {
                    throw new InvalidRequestException(
                            "messages", "Cannot have tool calls and content defined in the same assistant message");
                }
            }
        }
    }

    private static InvalidRequestException noTools() {
        return new InvalidRequestException("messages", "Tools not implemented for tokenizer V1");
    }
}

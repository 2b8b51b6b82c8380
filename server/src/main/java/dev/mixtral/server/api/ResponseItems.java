package dev.mixtral.server.api;

import dev.mixtral.chat.ToolCall;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.server.wire.Json;
import dev.mixtral.server.wire.ResponsesWriter;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Turns a generation into the items of a response, and tells each step as an event. Confined to one thread.
final class ResponseItems implements GenerationRun.Listener, ChoiceCalls.Listener {
    private final ResponsesWriter writer;
    private final Consumer<ObjectNode> events;
    private final Runnable onIdle;
    private final ArrayNode output = Json.array();
    private final StringBuilder text = new StringBuilder();
    private @Nullable String messageId;
    private String callId = "";
    private String status = "in_progress";

    /// @param events gets every event of the stream
    /// @param onIdle is called when nothing came for a while
    ResponseItems(ResponsesWriter writer, Consumer<ObjectNode> events, Runnable onIdle) {
        this.writer = writer;
        this.events = events;
        this.onIdle = onIdle;
    }

    @Override
    public void idle() {
        onIdle.run();
    }

    /// Returns the finished items.
    ArrayNode output() {
        return output;
    }

    /// Returns `completed` or `incomplete`, once the generation has ended.
    String status() {
        return status;
    }

    @Override
    public void text(int choice, TextDelta delta) {
        String id = message();
        text.append(delta.text());
        ObjectNode event = writer.itemEvent("response.output_text.delta", output.size(), id)
                .put("content_index", 0)
                .put("delta", delta.text());
        event.set("logprobs", Json.array());
        events.accept(event);
    }

    /// Opens the message, if it is not open yet, and returns its id.
    private String message() {
        if (messageId != null) {
            return messageId;
        }
        String id = id("msg_");
        messageId = id;
        ObjectNode added = writer.event("response.output_item.added").put("output_index", output.size());
        added.set("item", writer.message(id, "in_progress", null));
        events.accept(added);
        ObjectNode part = writer.itemEvent("response.content_part.added", output.size(), id)
                .put("content_index", 0);
        part.set("part", writer.part(""));
        events.accept(part);
        return id;
    }

    private void closeMessage(String itemStatus) {
        String id = messageId;
        if (id == null) {
            return;
        }
        messageId = null;
        ObjectNode textDone = writer.itemEvent("response.output_text.done", output.size(), id)
                .put("content_index", 0)
                .put("text", text.toString());
        textDone.set("logprobs", Json.array());
        events.accept(textDone);
        ObjectNode partDone = writer.itemEvent("response.content_part.done", output.size(), id)
                .put("content_index", 0);
        partDone.set("part", writer.part(text.toString()));
        events.accept(partDone);
        finishItem(writer.message(id, itemStatus, text.toString()));
    }

    private void finishItem(ObjectNode item) {
        ObjectNode done = writer.event("response.output_item.done").put("output_index", output.size());
        done.set("item", item);
        events.accept(done);
        output.add(item);
    }

    @Override
    public ChoiceCalls.Listener calls(int choice) {
        return this;
    }

    @Override
    public void callBegun(int index, ToolCall call) {
        closeMessage("completed");
        callId = id("fc_");
        ObjectNode added = writer.event("response.output_item.added").put("output_index", output.size());
        added.set("item", writer.call(callId, "in_progress", call, ""));
        events.accept(added);
    }

    @Override
    public void arguments(int index, ToolCall call, String piece) {
        events.accept(writer.itemEvent("response.function_call_arguments.delta", output.size(), callId)
                .put("delta", piece));
    }

    @Override
    public void callEnded(int index, ToolCall call, boolean isCut) {
        if (!isCut) {
            events.accept(writer.itemEvent("response.function_call_arguments.done", output.size(), callId)
                    .put("name", call.name())
                    .put("arguments", call.arguments()));
        }
        finishItem(writer.call(callId, isCut ? "incomplete" : "completed", call, call.arguments()));
    }

    /// Finishes what is open; an answer without calls has a message, if an empty one.
    void complete(GenerationRun run) {
        boolean isCut = run.choices().getFirst().finishReason().equals("length");
        status = isCut ? "incomplete" : "completed";
        if (output.isEmpty()) {
            message();
        }
        closeMessage(status);
    }

    private static String id(String prefix) {
        return prefix + UUID.randomUUID().toString().replace("-", "");
    }
}

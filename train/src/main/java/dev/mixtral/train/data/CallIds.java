package dev.mixtral.train.data;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Gives tool calls ids of nine letters and digits, as Mistral's format has them, where they have others. Equal ids
/// of a conversation get equal ids, and equal conversations the same.
final class CallIds {
    private static final Pattern MISTRALS = Pattern.compile("[a-zA-Z0-9]{9}");
    private static final String DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private int rewritten;

    int rewritten() {
        return rewritten;
    }

    List<Message> rewrite(List<Message> messages) {
        Map<String, String> ids = new HashMap<>();
        List<Message> result = new ArrayList<>();
        for (Message message : messages) {
            if (message instanceof AssistantMessage(var content, var calls, var prefix) && !calls.isEmpty()) {
                List<ToolCall> renamed = calls.stream()
                        .map(call -> new ToolCall(id(call.id(), ids), call.name(), call.arguments()))
                        .toList();
                result.add(new AssistantMessage(content, renamed, prefix));
            } else if (message instanceof ToolMessage(var content, var id, var name)) {
                result.add(new ToolMessage(content, id == null ? null : ids.getOrDefault(id, id), name));
            } else {
                result.add(message);
            }
        }
        return result;
    }

    private @Nullable String id(@Nullable String id, Map<String, String> ids) {
        if (id == null || MISTRALS.matcher(id).matches()) {
            return id;
        }
        return ids.computeIfAbsent(id, _ -> {
            rewritten++;
            return made(id, ids.size());
        });
    }

    private static String made(String id, int number) {
        long bits = (id.hashCode() * 0x9E3779B97F4A7C15L + number) >>> 1;
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 9; i++) {
            text.append(DIGITS.charAt((int) (bits % DIGITS.length())));
            bits /= DIGITS.length();
        }
        return text.toString();
    }
}

package dev.mixtral.train.corpus;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.ToolCall;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// Compares a model's answer with the expected one. Thread-safe.
public final class Scorer {
    private static final Pattern NUMBER = Pattern.compile("-?[0-9]+");
    private static final int OPENING_LENGTH = 20;

    private final ObjectMapper json = new ObjectMapper();

    /// Returns whether a text answer is right.
    ///
    /// @param expected a checkable example
    public boolean correct(Example expected, String answer) {
        return correct(expected, new AssistantMessage(answer));
    }

    /// Returns whether an answer is right; an answer that cannot be read is wrong, not an error.
    ///
    /// @param expected a checkable example
    public boolean correct(Example expected, AssistantMessage answer) {
        String want = textOf(expected.answer());
        String got = textOf(answer);
        return switch (expected.check()) {
            case NONE -> throw new IllegalArgumentException("skill " + expected.skill() + " has no score");
            case EXACT -> want.equals(got);
            case JSON -> sameJson(want, got);
            case NUMBER -> lastNumber(want).equals(lastNumber(got));
            case OPENING -> opening(want).equals(opening(got));
            case TOOL_CALLS -> sameCalls(expected.answer().toolCalls(), answer.toolCalls());
        };
    }

    private static String textOf(AssistantMessage message) {
        return Objects.requireNonNullElse(message.content(), "").strip();
    }

    private boolean sameCalls(List<ToolCall> want, List<ToolCall> got) {
        if (want.size() != got.size()) {
            return false;
        }
        for (int i = 0; i < want.size(); i++) {
            boolean same = want.get(i).name().equals(got.get(i).name())
                    && sameJson(want.get(i).arguments(), got.get(i).arguments());
            if (!same) {
                return false;
            }
        }
        return true;
    }

    private boolean sameJson(String want, String got) {
        try {
            JsonNode wanted = json.readTree(want);
            return wanted.equals(json.readTree(got));
        } catch (JacksonException _) {
            return false;
        }
    }

    private static String lastNumber(String text) {
        Matcher matcher = NUMBER.matcher(text);
        String last = "";
        while (matcher.find()) {
            last = matcher.group();
        }
        return last;
    }

    private static String opening(String text) {
        return text.substring(0, Math.min(OPENING_LENGTH, text.length()));
    }
}

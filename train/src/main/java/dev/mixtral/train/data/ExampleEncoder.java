package dev.mixtral.train.data;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.InstructTemplate;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.SystemMessage;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.chat.UserMessage;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.TokenizerVersion;
import dev.mixtral.train.Segment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Makes token ids of examples with the template that inference will use; only what the assistant says counts, its
/// end token included. Thread-safe.
///
/// Mistral's v2 and v3 formats show system prompt and tools with the last user message only. There, a conversation of
/// several turns becomes one segment per turn of the user, each as inference would see it; without system prompt and
/// tools it is one segment with all answers. Under a template of the model's own each answer is a segment behind the
/// prompt that the template makes for it.
public final class ExampleEncoder {
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final int eosId;
    private final int maxLength;

    /// @param eosId what ends an answer
    /// @param maxLength tokens that a segment may have
    public ExampleEncoder(Tokenizer tokenizer, ChatTemplate template, int eosId, int maxLength) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.eosId = eosId;
        this.maxLength = maxLength;
    }

    /// Encodes an example.
    ///
    /// @return one segment or more; a text that is too long is cut into pieces
    /// @throws InvalidRequestException if the template has no place for it, or a conversation is too long
    public List<Segment> encode(DataExample example) {
        List<Segment> segments = switch (example) {
            case DataExample.Text text -> pieces(text.text());
            case DataExample.Chat chat -> chat(chat);
        };
        for (Segment segment : segments) {
            if (segment.length() > maxLength) {
                throw new InvalidRequestException(
                        "sequence-length",
                        "it has %,d tokens, more than sequence-length (%,d): raise that, or shorten the example"
                                .formatted(segment.length(), maxLength));
            }
        }
        return segments;
    }

    private List<Segment> pieces(String text) {
        int[] ids = tokenizer.encode(text);
        List<Segment> pieces = new ArrayList<>();
        int room = maxLength - 1;
        for (int from = 0; from < ids.length; from += room) {
            int to = Math.min(ids.length, from + room);
            boolean isLast = to == ids.length && to - from < room;
            int[] piece = new int[1 + to - from + (isLast ? 1 : 0)];
            piece[0] = tokenizer.bosId();
            System.arraycopy(ids, from, piece, 1, to - from);
            if (isLast) {
                piece[piece.length - 1] = eosId;
            }
            float[] weights = new float[piece.length];
            Arrays.fill(weights, 1, weights.length, 1);
            pieces.add(new Segment(piece, weights, false));
        }
        return pieces;
    }

    private List<Segment> chat(DataExample.Chat chat) {
        if (!(template instanceof InstructTemplate instruct)) {
            return answersOneByOne(chat);
        }
        int numSystem = numSystem(chat.messages());
        String system = chat.messages().subList(0, numSystem).stream()
                .map(message -> ((SystemMessage) message).content())
                .collect(Collectors.joining("\n\n"));
        List<Message> turns = chat.messages().subList(numSystem, chat.messages().size());
        Set<Integer> muted = chat.muted().stream().map(i -> i - numSystem).collect(Collectors.toSet());
        boolean isPlain = system.isEmpty() && chat.tools().isEmpty();
        if (isPlain || tokenizer.version() == TokenizerVersion.V1) {
            return List.of(segment(instruct, system, turns, chat.tools(), 0, muted));
        }
        return turnByTurn(instruct, system, turns, chat.tools(), muted);
    }

    private static List<Segment> turnByTurn(
            InstructTemplate template,
            String system,
            List<Message> turns,
            List<ToolDefinition> tools,
            Set<Integer> muted) {
        List<Segment> segments = new ArrayList<>();
        int user = 0;
        for (int i = 1; i <= turns.size(); i++) {
            if (i == turns.size() || turns.get(i) instanceof UserMessage) {
                Segment segment = segment(template, system, turns.subList(0, i), tools, user, muted);
                if (segment.counts()) {
                    segments.add(segment);
                }
                user = i;
            }
        }
        return segments;
    }

    /// @param from messages before it do not count
    private static Segment segment(
            InstructTemplate template,
            String system,
            List<Message> turns,
            List<ToolDefinition> tools,
            int from,
            Set<Integer> muted) {
        return Segment.of(
                template.renderTurns(system, turns, tools),
                i -> i >= from && turns.get(i) instanceof AssistantMessage && !muted.contains(i),
                0,
                false);
    }

    private List<Segment> answersOneByOne(DataExample.Chat chat) {
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < chat.messages().size(); i++) {
            if (chat.messages().get(i) instanceof AssistantMessage answer
                    && !chat.muted().contains(i)) {
                segments.add(answer(chat.messages().subList(0, i), chat.tools(), answer));
            }
        }
        return segments;
    }

    private Segment answer(List<Message> before, List<ToolDefinition> tools, AssistantMessage answer) {
        String content = answer.content();
        if (content == null || !answer.toolCalls().isEmpty()) {
            throw new InvalidRequestException(
                    "messages",
                    "how calls of tools are written is known for Mistral's own formats only; this model has a"
                            + " chat template of its own");
        }
        int[] prompt = template.render(before, tools).ids();
        int[] text = tokenizer.encodeContinuation(content);
        int[] ids = Arrays.copyOf(prompt, prompt.length + text.length + 1);
        System.arraycopy(text, 0, ids, prompt.length, text.length);
        ids[ids.length - 1] = eosId;
        float[] weights = new float[ids.length];
        Arrays.fill(weights, prompt.length, ids.length, 1);
        return new Segment(ids, weights, false);
    }

    private static int numSystem(List<Message> messages) {
        int count = 0;
        while (messages.get(count) instanceof SystemMessage) {
            count++;
        }
        return count;
    }
}

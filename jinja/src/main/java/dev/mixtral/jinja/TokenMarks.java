package dev.mixtral.jinja;

import dev.mixtral.tokenizer.PieceType;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Tells the control tokens that a template writes from text of messages that only looks like them.
///
/// Every control token spelled in the template's source, and the values of `bos_token` and the like, are replaced by
/// one private-use character each, which occurs neither in the template nor in the conversation. What the template
/// does with messages (`trim`, slices, comparisons) is unaffected, since they are left as they are; and a mark in the
/// output can only come from the template. Immutable.
final class TokenMarks {
    private static final char FIRST = '\ue000';
    private static final char LAST = '\uf8ff';

    /// A control token and the character that stands for it.
    private record Mark(String piece, int id, char character) {}

    private final List<Mark> marks;

    private TokenMarks(List<Mark> marks) {
        this.marks = marks;
    }

    /// @param controls ids of control tokens to mark
    /// @param avoided texts in which no mark may occur
    static TokenMarks of(Tokenizer tokenizer, List<Integer> controls, List<String> avoided) {
        boolean[] isTaken = new boolean[LAST - FIRST + 1];
        for (String text : avoided) {
            text.chars().filter(c -> c >= FIRST && c <= LAST).forEach(c -> isTaken[c - FIRST] = true);
        }
        List<Mark> marks = new ArrayList<>();
        char next = FIRST;
        for (int id : controls) {
            while (next <= LAST && isTaken[next - FIRST]) {
                next++;
            }
            if (next > LAST) {
                throw Sandbox.refused("the conversation uses all private-use characters");
            }
            marks.add(new Mark(tokenizer.piece(id), id, next++));
        }
        marks.sort(Comparator.comparingInt((Mark mark) -> mark.piece().length()).reversed());
        return new TokenMarks(marks);
    }

    /// Returns the control tokens (`<unk>` among them) that a template spells, and the sequence tokens.
    static List<Integer> controlsOf(Tokenizer tokenizer, String template) {
        List<Integer> ids = new ArrayList<>();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            boolean isSequence = id == tokenizer.bosId() || id == tokenizer.eosId();
            if (isSequence || (isControl(tokenizer, id) && template.contains(tokenizer.piece(id)))) {
                ids.add(id);
            }
        }
        return ids;
    }

    static boolean isControl(Tokenizer tokenizer, int id) {
        return tokenizer.type(id) == PieceType.CONTROL || tokenizer.type(id) == PieceType.UNKNOWN;
    }

    /// Returns the text with marks for control tokens.
    String mark(String text) {
        String marked = text;
        for (Mark mark : marks) {
            marked = marked.replace(mark.piece(), String.valueOf(mark.character()));
        }
        return marked;
    }

    /// Returns the text with control tokens spelled out.
    String spell(String text) {
        String spelled = text;
        for (Mark mark : marks) {
            spelled = spelled.replace(String.valueOf(mark.character()), mark.piece());
        }
        return spelled;
    }

    /// Returns the id that a character marks, or -1.
    int id(char c) {
        return marks.stream()
                .filter(mark -> mark.character() == c)
                .mapToInt(Mark::id)
                .findFirst()
                .orElse(-1);
    }
}

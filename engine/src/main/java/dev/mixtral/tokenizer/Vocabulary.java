package dev.mixtral.tokenizer;

import dev.mixtral.error.ModelFormatException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// A checked vocabulary with the indexes that encoding needs. Immutable and thread-safe.
final class Vocabulary {
    /// What [#id(String)] returns for a text that is no piece.
    static final int NONE = -1;

    private final List<Piece> pieces;
    /// By id: place of the piece's score among all distinct scores, 0 is the highest.
    private final int[] ranks;
    /// Text to id of the pieces that text may become: normal, user-defined, unused.
    private final Map<String, Integer> textIds = new HashMap<>();
    private final Map<String, Integer> controlIds = new HashMap<>();
    private final int[] byteIds = new int[256];
    private final int unknownId;
    private final int maxLength;
    /// First char of user-defined pieces to the lengths they have, longest first.
    private final Map<Character, int[]> userDefinedLengths;

    /// @param file where the vocabulary comes from, for messages
    /// @throws ModelFormatException if pieces are empty or doubled, a score is NaN, or unknown or byte pieces are
    ///     not as they must be
    Vocabulary(String file, List<Piece> pieces) {
        this.pieces = pieces;
        this.ranks = ranks(file, pieces);
        Arrays.fill(byteIds, NONE);
        Set<String> seen = HashSet.newHashSet(pieces.size());
        for (int id = 0; id < pieces.size(); id++) {
            Piece piece = pieces.get(id);
            if (piece.text().isEmpty() || !seen.add(piece.text())) {
                String problem = piece.text().isEmpty() ? "is empty" : "occurs twice: '" + piece.text() + "'";
                throw new ModelFormatException(file, "piece " + id + " of the vocabulary " + problem);
            }
            index(file, id, piece);
        }
        this.unknownId = onlyUnknown(file, pieces);
        checkBytes(file);
        this.maxLength =
                textIds.keySet().stream().mapToInt(String::length).max().orElse(0);
        this.userDefinedLengths = userDefinedLengths(pieces);
    }

    int size() {
        return pieces.size();
    }

    Piece piece(int id) {
        return pieces.get(id);
    }

    PieceType type(int id) {
        return pieces.get(id).type();
    }

    int unknownId() {
        return unknownId;
    }

    boolean hasBytes() {
        return byteIds[0] != NONE;
    }

    int byteId(byte value) {
        return byteIds[value & 0xff];
    }

    /// Returns the byte that a byte piece stands for.
    static byte byteValue(Piece piece) {
        return (byte) Integer.parseInt(piece.text(), 3, 5, 16);
    }

    /// Returns the id of the control piece with this text, or [#NONE].
    int controlId(String text) {
        return controlIds.getOrDefault(text, NONE);
    }

    /// Returns the id of the normal, user-defined or unused piece with this text, or [#NONE].
    int id(String text) {
        return textIds.getOrDefault(text, NONE);
    }

    /// Same for a part of a text.
    int id(String text, int from, int to) {
        return to - from > maxLength ? NONE : id(text.substring(from, to));
    }

    int rank(int id) {
        return ranks[id];
    }

    /// Returns the length of the longest user-defined piece that begins at this place of the text, or 0.
    int userDefinedLength(String text, int from) {
        int[] lengths = userDefinedLengths.get(text.charAt(from));
        if (lengths == null) {
            return 0;
        }
        for (int length : lengths) {
            if (from + length <= text.length()) {
                int id = id(text, from, from + length);
                if (id != NONE && type(id) == PieceType.USER_DEFINED) {
                    return length;
                }
            }
        }
        return 0;
    }

    private void index(String file, int id, Piece piece) {
        switch (piece.type()) {
            case NORMAL, USER_DEFINED, UNUSED -> textIds.put(piece.text(), id);
            case CONTROL -> controlIds.put(piece.text(), id);
            case BYTE -> {
                if (!piece.text().matches("<0x[0-9A-F]{2}>")) {
                    throw new ModelFormatException(
                            file, "byte piece " + id + " is spelled '" + piece.text() + "', expected the form <0x0A>");
                }
                byteIds[byteValue(piece) & 0xff] = id;
            }
            case UNKNOWN -> {}
        }
    }

    private void checkBytes(String file) {
        long present = Arrays.stream(byteIds).filter(id -> id != NONE).count();
        if (present != 0 && present != byteIds.length) {
            throw new ModelFormatException(file, "the vocabulary has " + present + " byte pieces, expected 0 or 256");
        }
    }

    private static int onlyUnknown(String file, List<Piece> pieces) {
        int found = NONE;
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).type() == PieceType.UNKNOWN) {
                if (found != NONE) {
                    throw new ModelFormatException(
                            file, "pieces " + found + " and " + id + " are both unknown pieces, expected one");
                }
                found = id;
            }
        }
        if (found == NONE) {
            throw new ModelFormatException(file, "the vocabulary has no unknown piece");
        }
        return found;
    }

    private static int[] ranks(String file, List<Piece> pieces) {
        TreeMap<Float, Integer> rankOfScore = new TreeMap<>((a, b) -> Float.compare(b, a));
        for (Piece piece : pieces) {
            if (Float.isNaN(piece.score())) {
                throw new ModelFormatException(file, "the score of piece '" + piece.text() + "' is not a number");
            }
            rankOfScore.put(piece.score() + 0f, 0); // + 0 makes -0 the same score as 0
        }
        int rank = 0;
        for (var entry : rankOfScore.entrySet()) {
            entry.setValue(rank++);
        }
        int[] ranks = new int[pieces.size()];
        for (int id = 0; id < ranks.length; id++) {
            ranks[id] = rankOfScore.getOrDefault(pieces.get(id).score() + 0f, 0);
        }
        return ranks;
    }

    private static Map<Character, int[]> userDefinedLengths(List<Piece> pieces) {
        Map<Character, TreeSet<Integer>> lengths = new HashMap<>();
        for (Piece piece : pieces) {
            if (piece.type() == PieceType.USER_DEFINED) {
                lengths.computeIfAbsent(piece.text().charAt(0), first -> new TreeSet<>())
                        .add(piece.text().length());
            }
        }
        Map<Character, int[]> sorted = new HashMap<>();
        lengths.forEach((first, set) -> sorted.put(
                first, set.descendingSet().stream().mapToInt(Integer::intValue).toArray()));
        return sorted;
    }

    /// Returns the bytes that an id stands for in running text.
    byte[] bytes(int id, String unknownSurface) {
        Piece piece = pieces.get(id);
        return switch (piece.type()) {
            case CONTROL -> new byte[0];
            case BYTE -> new byte[] {byteValue(piece)};
            case UNKNOWN -> unknownSurface.getBytes(StandardCharsets.UTF_8);
            case NORMAL, USER_DEFINED, UNUSED ->
                piece.text().replace(SentencePieceBpe.SPACE, ' ').getBytes(StandardCharsets.UTF_8);
        };
    }
}

package dev.mixtral.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/// One run of byte-pair merging over one text, as SentencePiece's `bpe_model.cc` does it. Confined to one thread.
///
/// The text is a linked list of symbols, at first one per code point. A symbol is named by the place of its first
/// char. The best pair of neighbours, by score and then from the left, is merged until none is a piece.
///
/// ```text
/// "▁the"   next: 0→1→2→3→4    pairs: (0) "▁t"  (1) "th"  (2) "he"
/// merge 2  next: 0→1→2→4      pairs: (0) "▁t"  (1) "the"
/// ```
///
/// Each symbol has at most one valid pair (itself with its right neighbour), whose rank is `pairRank[left]`. The heap
/// holds `(rank, left)` keys; one whose rank is no longer the symbol's is stale and skipped. O(n log n).
final class MergeRun {
    private static final int NO_PAIR = -1;

    private final Vocabulary vocabulary;
    private final String text;
    private final int[] next;
    private final int[] previous;
    private final int[] pairRank;
    private final boolean[] frozen;
    private final LongHeap heap;
    /// Unused pieces that merging passed through, and where it cut them: needed to undo such a merge.
    private final Map<String, Integer> cuts = new HashMap<>();

    private int[] ids;
    private int numIds;

    /// @param text the normalised text: spaces are `▁` already
    MergeRun(Vocabulary vocabulary, String text) {
        this.vocabulary = vocabulary;
        this.text = text;
        this.next = new int[text.length()];
        this.previous = new int[text.length()];
        this.pairRank = new int[text.length()];
        this.frozen = new boolean[text.length()];
        this.heap = new LongHeap(text.length());
        this.ids = new int[text.length() / 2 + 8];
    }

    int[] run() {
        split();
        for (int left = 0; left < text.length(); left = next[left]) {
            consider(left);
        }
        while (!heap.isEmpty()) {
            long key = heap.remove();
            int left = (int) key;
            if (pairRank[left] == key >> 32) {
                merge(left);
            }
        }
        for (int symbol = 0; symbol < text.length(); symbol = next[symbol]) {
            emit(text.substring(symbol, next[symbol]));
        }
        return Arrays.copyOf(ids, numIds);
    }

    private void split() {
        for (int i = 0, before = -1; i < text.length(); ) {
            int length = vocabulary.userDefinedLength(text, i);
            frozen[i] = length > 0;
            if (length == 0) {
                length = Character.charCount(text.codePointAt(i));
            }
            previous[i] = before;
            next[i] = i + length;
            pairRank[i] = NO_PAIR;
            before = i;
            i += length;
        }
    }

    private void merge(int left) {
        int right = next[left];
        pairRank[right] = NO_PAIR;
        next[left] = next[right];
        if (next[left] < text.length()) {
            previous[next[left]] = left;
        }
        consider(left);
        if (previous[left] >= 0) {
            consider(previous[left]);
        }
    }

    /// Finds out whether a symbol and its right neighbour form a piece.
    private void consider(int left) {
        int right = next[left];
        int rank = NO_PAIR;
        if (right < text.length() && !frozen[left] && !frozen[right]) {
            int id = vocabulary.id(text, left, next[right]);
            if (id != Vocabulary.NONE) {
                rank = vocabulary.rank(id);
                heap.add(((long) rank << 32) | left);
                if (vocabulary.type(id) == PieceType.UNUSED) {
                    cuts.put(text.substring(left, next[right]), right - left);
                }
            }
        }
        pairRank[left] = rank;
    }

    /// Emits a symbol. An unused piece is cut again where it was merged; with a stack of our own rather than
    /// recursion,
    /// since a chain of them may be long.
    private void emit(String symbol) {
        Deque<String> pending = new ArrayDeque<>();
        pending.push(symbol);
        while (!pending.isEmpty()) {
            String part = pending.pop();
            int id = vocabulary.id(part);
            Integer cut = id != Vocabulary.NONE && vocabulary.type(id) == PieceType.UNUSED ? cuts.get(part) : null;
            if (id == Vocabulary.NONE) {
                emitUnknown(part);
            } else if (cut == null) {
                add(id);
            } else {
                pending.push(part.substring(cut));
                pending.push(part.substring(0, cut));
            }
        }
    }

    private void emitUnknown(String character) {
        if (vocabulary.hasBytes()) {
            for (byte value : character.getBytes(StandardCharsets.UTF_8)) {
                add(vocabulary.byteId(value));
            }
        } else if (numIds == 0 || ids[numIds - 1] != vocabulary.unknownId()) {
            add(vocabulary.unknownId());
        }
    }

    private void add(int id) {
        if (numIds == ids.length) {
            ids = Arrays.copyOf(ids, 2 * numIds);
        }
        ids[numIds++] = id;
    }
}

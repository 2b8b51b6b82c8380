package dev.mixtral.train;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Fills the rows of a batch with whole examples, one after another.
///
/// Examples in a row see each other through attention; each begins with BOS, which the model learns to read as a new
/// start. Now and then BOS is left out between two plain chats: that is, token for token, how the template writes a
/// longer conversation, so long contexts are trained on conversations that change their subject.
///
/// The examples of a step come from the step's own source, so a batch is a function of the seed and the step number,
/// and a resumed run continues with the same data without any saved position.
final class Packer {
    /// Rows end with padding rather than after a long search for an example that fits.
    private static final int MAX_MISFITS = 6;

    private static final double CONTINUE_PROBABILITY = 0.2;

    /// Of the tokens that count little, one in four is drawn to count four times as much: the expected gradient is
    /// the same, and the logits of the others need not be computed.
    private static final int THINNING = 4;

    private final Supplier<Segment> source;
    private final RandomGenerator random;
    private final int padding;
    private final Deque<Segment> waiting = new ArrayDeque<>();

    /// @param source endless
    /// @param random decides which chats continue the one before
    /// @param padding the id that fills the end of a row, with weight 0
    Packer(Supplier<Segment> source, RandomGenerator random, int padding) {
        this.source = source;
        this.random = random;
        this.padding = padding;
    }

    /// Packs a batch of `rows` sequences of `length` positions.
    Batch pack(int rows, int length) {
        long[] inputs = new long[rows * length];
        long[] targets = new long[rows * length];
        float[] weights = new float[rows * length];
        for (int row = 0; row < rows; row++) {
            Row packed = packRow(length + 1);
            for (int i = 0; i < length; i++) {
                inputs[row * length + i] = packed.ids[i];
                targets[row * length + i] = packed.ids[i + 1];
                weights[row * length + i] = thinned(packed.weights[i + 1]);
            }
        }
        return new Batch(rows, length, inputs, targets, weights);
    }

    private float thinned(float weight) {
        if (weight >= 1) {
            return weight;
        }
        return random.nextInt(THINNING) == 0 ? THINNING * weight : 0;
    }

    private Row packRow(int capacity) {
        Row row = new Row(capacity);
        for (int i = waiting.size(); i > 0; i--) {
            offer(row, waiting.removeFirst());
        }
        int misfits = 0;
        while (row.used < capacity && misfits < MAX_MISFITS) {
            if (!offer(row, source.get())) {
                misfits++;
            }
        }
        Arrays.fill(row.ids, row.used, capacity, padding);
        return row;
    }

    private boolean offer(Row row, Segment segment) {
        Segment previous = row.last;
        boolean continues = previous != null
                && previous.continuable()
                && segment.continuable()
                && random.nextDouble() < CONTINUE_PROBABILITY;
        if (row.append(segment, continues ? 1 : 0)) {
            return true;
        }
        if (segment.length() <= row.ids.length) {
            waiting.addLast(segment);
        }
        return false;
    }

    private static final class Row {
        final int[] ids;
        final float[] weights;
        int used;

        @Nullable
        Segment last;

        Row(int capacity) {
            ids = new int[capacity];
            weights = new float[capacity];
        }

        boolean append(Segment segment, int from) {
            int length = segment.length() - from;
            if (used + length > ids.length) {
                return false;
            }
            System.arraycopy(segment.ids(), from, ids, used, length);
            System.arraycopy(segment.weights(), from, weights, used, length);
            used += length;
            last = segment;
            return true;
        }
    }
}

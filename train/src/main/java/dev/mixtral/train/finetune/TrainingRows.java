package dev.mixtral.train.finetune;

import dev.mixtral.train.Batch;
import dev.mixtral.train.Segment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Puts examples into rows, and rows into the batches of each step. What a step gets is a function of the seed and
/// its number, so a resumed run continues with the same data. Confined to one thread.
///
/// Each epoch has an order of its own. With packing, an example goes into the first of the rows being filled that has
/// room for it; examples of a row do not see each other.
final class TrainingRows {
    /// Rows that are filled at the same time: more fill better and take longer to search.
    private static final int OPEN_ROWS = 64;

    private final List<List<Segment>> examples;
    private final int length;
    private final boolean packing;
    private final int padding;
    private final long seed;
    private int cachedEpoch = -1;
    private List<List<Segment>> cachedRows = List.of();

    /// @param examples the segments of each example; an example's segments may go to different rows
    /// @param length tokens that a row may have; no segment has more
    /// @param padding the id that fills up shorter rows, with weight 0
    TrainingRows(List<List<Segment>> examples, int length, boolean packing, int padding, long seed) {
        this.examples = examples;
        this.length = length;
        this.packing = packing;
        this.padding = padding;
        this.seed = seed;
    }

    /// Returns how many rows each of the first epochs has.
    int[] rowsPerEpoch(int epochs) {
        return IntStream.range(0, epochs).map(epoch -> rows(epoch).size()).toArray();
    }

    /// Returns the batches of a step.
    ///
    /// @param rowsPerEpoch as [#rowsPerEpoch] gave it
    /// @param step from 0
    List<Batch> step(int[] rowsPerEpoch, int step, int batchSize, int batches) {
        List<List<Segment>> rows = new ArrayList<>();
        long first = (long) step * batchSize * batches;
        long offset = 0;
        for (int epoch = 0; epoch < rowsPerEpoch.length; epoch++) {
            for (long at = Math.max(first, offset);
                    at < offset + rowsPerEpoch[epoch] && rows.size() < batchSize * batches;
                    at++) {
                rows.add(rows(epoch).get((int) (at - offset)));
                first = at + 1;
            }
            offset += rowsPerEpoch[epoch];
        }
        return batches(rows, batchSize);
    }

    /// Returns all rows in the order of the examples, as batches: for evaluation.
    List<Batch> inOrder(int batchSize) {
        return batches(pack(examples), batchSize);
    }

    private List<Batch> batches(List<List<Segment>> rows, int batchSize) {
        List<Batch> batches = new ArrayList<>();
        for (int from = 0; from < rows.size(); from += batchSize) {
            batches.add(batch(rows.subList(from, Math.min(rows.size(), from + batchSize))));
        }
        return batches;
    }

    private List<List<Segment>> rows(int epoch) {
        if (epoch != cachedEpoch) {
            List<List<Segment>> shuffled = new ArrayList<>(examples);
            SplittableRandom random = new SplittableRandom(seed * 1_000_003L + epoch);
            for (int i = shuffled.size() - 1; i > 0; i--) {
                int other = random.nextInt(i + 1);
                List<Segment> swapped = shuffled.get(i);
                shuffled.set(i, shuffled.get(other));
                shuffled.set(other, swapped);
            }
            cachedRows = pack(shuffled);
            cachedEpoch = epoch;
        }
        return cachedRows;
    }

    private List<List<Segment>> pack(List<List<Segment>> ordered) {
        List<List<Segment>> full = new ArrayList<>();
        List<Open> open = new ArrayList<>();
        for (List<Segment> example : ordered) {
            for (Segment segment : example) {
                if (packing) {
                    place(segment, open, full);
                } else {
                    full.add(List.of(segment));
                }
            }
        }
        open.forEach(row -> full.add(row.segments));
        return full;
    }

    private void place(Segment segment, List<Open> open, List<List<Segment>> full) {
        for (Open row : open) {
            if (row.used + segment.length() <= length) {
                row.add(segment);
                return;
            }
        }
        if (open.size() == OPEN_ROWS) {
            full.add(open.removeFirst().segments);
        }
        Open row = new Open();
        row.add(segment);
        open.addLast(row);
    }

    private static final class Open {
        final List<Segment> segments = new ArrayList<>();
        int used;

        void add(Segment segment) {
            segments.add(segment);
            used += segment.length();
        }
    }

    /// Lays rows out, as long as the longest of them. Padding sees what is before it, and nobody sees padding.
    private Batch batch(List<List<Segment>> rows) {
        int positions = rows.stream()
                        .mapToInt(row -> row.stream().mapToInt(Segment::length).sum())
                        .max()
                        .orElseThrow()
                - 1;
        long[] inputs = new long[rows.size() * positions];
        long[] targets = new long[inputs.length];
        float[] weights = new float[inputs.length];
        int[] starts = new int[inputs.length];
        Arrays.fill(inputs, padding);
        Arrays.fill(targets, padding);
        for (int row = 0; row < rows.size(); row++) {
            int at = 0;
            for (Segment segment : rows.get(row)) {
                for (int i = 0; i < segment.length(); i++, at++) {
                    int place = row * positions + at;
                    if (at < positions) {
                        inputs[place] = segment.ids()[i];
                        starts[place] = at - i;
                    }
                    if (at > 0) {
                        targets[place - 1] = segment.ids()[i];
                        weights[place - 1] = segment.weights()[i];
                    }
                }
            }
        }
        return new Batch(rows.size(), positions, inputs, targets, weights, starts);
    }
}

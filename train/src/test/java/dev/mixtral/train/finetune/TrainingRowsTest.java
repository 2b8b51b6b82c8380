package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.train.Batch;
import dev.mixtral.train.Segment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TrainingRowsTest {
    private static final int BOS = 1;
    private static final int PADDING = 2;
    private static final int LENGTH = 32;

    /// Examples of 4 to 13 tokens; the second token tells them apart.
    private static List<List<Segment>> examples(int count) {
        SplittableRandom random = new SplittableRandom(5);
        List<List<Segment>> examples = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] ids = random.ints(4 + random.nextInt(10), 3, 1000).toArray();
            ids[0] = BOS;
            ids[1] = 1000 + i;
            float[] weights = new float[ids.length];
            Arrays.fill(weights, 2, ids.length, 1);
            examples.add(List.of(new Segment(ids, weights, false)));
        }
        return examples;
    }

    private static TrainingRows rows(List<List<Segment>> examples, boolean packing) {
        return new TrainingRows(examples, LENGTH, packing, PADDING, 7);
    }

    private static List<Batch> epoch(TrainingRows rows, int epoch, int epochs) {
        int[] counts = rows.rowsPerEpoch(epochs);
        int before = Arrays.stream(counts, 0, epoch).sum();
        List<Batch> batches = new ArrayList<>();
        for (int row = before; row < before + counts[epoch]; row++) {
            batches.addAll(rows.step(counts, row, 1, 1));
        }
        return batches;
    }

    @Test
    void everyEpochHasEveryExampleOnceInAnOrderOfItsOwn() {
        TrainingRows rows = rows(examples(100), true);
        List<List<Long>> orders = new ArrayList<>();
        for (int epoch = 0; epoch < 2; epoch++) {
            List<Long> seen = new ArrayList<>();
            for (Batch batch : epoch(rows, epoch, 2)) {
                Arrays.stream(batch.inputs()).filter(id -> id >= 1000).forEach(seen::add);
            }
            assertThat(seen).hasSize(100).doesNotHaveDuplicates();
            orders.add(seen);
        }
        assertThat(orders.get(0)).isNotEqualTo(orders.get(1));
    }

    @Test
    void packingFillsRowsAndKeepsExamplesApart() {
        TrainingRows packed = rows(examples(100), true);
        assertThat(packed.rowsPerEpoch(1)[0])
                .isLessThan(rows(examples(100), false).rowsPerEpoch(1)[0] / 2);
        for (Batch batch : epoch(packed, 0, 1)) {
            int[] starts = java.util.Objects.requireNonNull(batch.starts());
            for (int i = 0; i < batch.length(); i++) {
                assertThat(starts[i] == i).isEqualTo(batch.inputs()[i] == BOS);
            }
        }
    }

    @Test
    void targetsFollowInputsAndBeginningsAndPaddingDoNotCount() {
        for (Batch batch : rows(examples(20), true).inOrder(4)) {
            for (int i = 0; i < batch.numTokens(); i++) {
                if (batch.targets()[i] == BOS || batch.targets()[i] >= 1000 || batch.targets()[i] == PADDING) {
                    assertThat(batch.weights()[i]).isZero();
                }
                if ((i + 1) % batch.length() != 0) {
                    assertThat(batch.targets()[i]).isEqualTo(batch.inputs()[i + 1]);
                }
            }
        }
    }

    @Test
    void allWeightOfTheDataIsInTheRows() {
        double expected = examples(50).stream()
                .mapToDouble(example -> example.getFirst().numCounted())
                .sum();
        for (boolean packing : new boolean[] {true, false}) {
            double actual = rows(examples(50), packing).inOrder(3).stream()
                    .mapToDouble(Batch::totalWeight)
                    .sum();
            assertThat(actual).isEqualTo(expected);
        }
    }

    @Test
    void aStepIsAFunctionOfItsNumber() {
        TrainingRows first = rows(examples(60), true);
        int[] counts = first.rowsPerEpoch(3);
        int steps = Math.ceilDiv(Arrays.stream(counts).sum(), 4);
        List<Batch> inOrder = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            inOrder.addAll(first.step(counts, step, 2, 2));
        }
        Set<Integer> sizes = new HashSet<>();
        TrainingRows second = rows(examples(60), true);
        for (int step = steps - 1; step >= 0; step--) {
            List<Batch> batches = second.step(counts, step, 2, 2);
            for (int i = 0; i < batches.size(); i++) {
                assertThat(batches.get(i).inputs())
                        .isEqualTo(inOrder.get(2 * step + i).inputs());
                sizes.add(batches.get(i).rows());
            }
        }
        assertThat(sizes).contains(2);
    }
}

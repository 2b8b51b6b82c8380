package dev.mixtral.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.kernel.AttentionParts;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.testing.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionPlanTest {
    private static final KvLayout LAYOUT = new KvLayout(1, 1, 2, KvType.F16);
    private static final int NUM_KV_HEADS = 8;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 64})
    void everyChunkOfEveryRowIsComputedOnce(int numThreads) {
        Random random = Seeds.random("attention plan " + numThreads);
        AttentionPlan plan = new AttentionPlan(NUM_KV_HEADS, numThreads);
        for (int round = 0; round < 200; round++) {
            Batch batch = randomBatch(random);
            plan.prepare(batch);
            int[] chunks = new int[batch.size()];
            int[] pieces = new int[batch.size()];
            for (int piece = 0; piece < plan.numPieces(); piece++) {
                int first = plan.firstRow(piece);
                int last = first + plan.numRows(piece) - 1;
                assertThat(batch.caches()[last]).isSameAs(batch.caches()[first]);
                assertThat(batch.positions()[last] - batch.positions()[first]).isEqualTo(last - first);
                for (int row = first; row <= last; row++) {
                    pieces[row]++;
                    boolean whole = plan.piecesOfRow(row) == 1;
                    chunks[row] += whole ? numChunks(batch, row) : plan.toChunk(piece) - plan.fromChunk(piece);
                    assertThat(whole || plan.toChunk(piece) > plan.fromChunk(piece))
                            .isTrue();
                }
            }
            for (int row = 0; row < batch.size(); row++) {
                assertThat(chunks[row]).isEqualTo(numChunks(batch, row));
                assertThat(pieces[row]).isEqualTo(plan.piecesOfRow(row));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 7, 64})
    void aLongSequenceIsSharedAndShortOnesAreNot(int numThreads) {
        AttentionPlan plan = new AttentionPlan(NUM_KV_HEADS, numThreads);
        Batch batch = batch(List.of(new int[] {30_000, 1}, new int[] {100, 1}, new int[] {5, 1}));
        plan.prepare(batch);
        // Two threads have eight heads to share as it is.
        assertThat(plan.piecesOfRow(0)).isEqualTo(numThreads == 2 ? 1 : numThreads == 7 ? 4 : 30);
        assertThat(plan.piecesOfRow(1)).isEqualTo(1);
        assertThat(plan.piecesOfRow(2)).isEqualTo(1);
    }

    private static int numChunks(Batch batch, int row) {
        return AttentionParts.numChunks(batch.positions()[row] + 1);
    }

    private static Batch randomBatch(Random random) {
        List<int[]> sequences = new ArrayList<>();
        int n = 1 + random.nextInt(6);
        for (int i = 0; i < n; i++) {
            int depth = random.nextBoolean() ? random.nextInt(100) : random.nextInt(20_000);
            sequences.add(new int[] {depth, 1 + (random.nextBoolean() ? 0 : random.nextInt(100))});
        }
        return batch(sequences);
    }

    /// @param sequences the position of the first row, and the number of rows
    private static Batch batch(List<int[]> sequences) {
        int size = sequences.stream().mapToInt(s -> s[1]).sum();
        int[] positions = new int[size];
        KvCache[] caches = new KvCache[size];
        int row = 0;
        for (int[] sequence : sequences) {
            try (KvCache cache = new KvCache(LAYOUT)) {
                for (int i = 0; i < sequence[1]; i++) {
                    positions[row] = sequence[0] + i;
                    caches[row++] = cache;
                }
            }
        }
        return new Batch(new int[size], positions, caches, new boolean[size]);
    }
}

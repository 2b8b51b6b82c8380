package dev.mixtral.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.kernel.AttentionParts;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kernel.scalar.ScalarKernels;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.FloatMatrix;
import java.util.Arrays;
import java.util.Random;

/// What every provider's attention has to pass: the scalar kernels' results, bit for bit, however rows are taken
/// together and whoever computes which chunk.
public final class AttentionChecks {
    private static final int NUM_KV_HEADS = 2;
    private static final int LAYER = 1;
    private static final float UNTOUCHED = 12345;

    private final Kernels scalar = new ScalarKernels();
    private final Kernels candidate;
    private final Scratch scratch = new Scratch();

    /// Creates checks of `candidate`.
    public AttentionChecks(Kernels candidate) {
        this.candidate = candidate;
    }

    /// The last rows of sequences of odd and even lengths: all at once, some at a time, one by one, and in parts.
    ///
    /// @param lengths positions of the sequences
    public void attention(KvType type, int headDim, int headsPerKvHead, int[] lengths, Random random) {
        int longest = Arrays.stream(lengths).max().orElseThrow();
        try (KvCache cache = cache(type, headDim, longest, random)) {
            for (int length : lengths) {
                // The scalar kernels take their time: many rows of short sequences, few of long ones.
                int numRows = Math.min(length, 1 + random.nextInt(length < 600 ? 20 : 2));
                int cols = NUM_KV_HEADS * headsPerKvHead * headDim;
                FloatMatrix q = RandomTensors.activations(numRows + 2, cols, random);
                String what = "%s, %s cache, head of %d, %d heads, %d rows up to %d positions"
                        .formatted(candidate.name(), type, headDim, headsPerKvHead, numRows, length);
                FloatMatrix expected = attend(scalar, q, numRows, cache, length, 1);
                for (int tile : new int[] {numRows, 1, 1 + random.nextInt(numRows)}) {
                    FloatMatrix actual = attend(candidate, q, numRows, cache, length, tile);
                    assertThat(actual.data())
                            .describedAs("%s, %d at a time", what, tile)
                            .containsExactly(expected.data());
                }
                parts(what, q, numRows, cache, length, expected, random);
            }
        }
    }

    private static KvCache cache(KvType type, int headDim, int numPositions, Random random) {
        KvCache cache = new KvCache(new KvLayout(LAYER + 1, NUM_KV_HEADS, headDim, type));
        cache.ensureCapacity(numPositions);
        FloatMatrix keys = RandomTensors.activations(numPositions, NUM_KV_HEADS * headDim, random);
        FloatMatrix values = RandomTensors.activations(numPositions, NUM_KV_HEADS * headDim, random);
        for (int position = 0; position < numPositions; position++) {
            cache.write(LAYER, position, keys, values, position);
        }
        return cache;
    }

    /// Attends from rows `1 .. numRows` at the end of a sequence, `tile` rows at a time.
    private FloatMatrix attend(Kernels kernels, FloatMatrix q, int numRows, KvCache cache, int length, int tile) {
        FloatMatrix out = untouched(q);
        for (int row = 0; row < numRows; row += tile) {
            int rows = Math.min(tile, numRows - row);
            for (int kvHead = 0; kvHead < NUM_KV_HEADS; kvHead++) {
                int position = length - numRows + row;
                kernels.attention(q, 1 + row, rows, cache, LAYER, kvHead, position, out, scratch);
            }
        }
        return out;
    }

    private void parts(
            String what, FloatMatrix q, int numRows, KvCache cache, int length, FloatMatrix expected, Random random) {
        int headDim = cache.layout().headDim();
        int numHeads = q.cols() / headDim / NUM_KV_HEADS;
        int numChunks = AttentionParts.numChunks(length);
        int cut = random.nextInt(numChunks + 1);
        int size = AttentionParts.size(numHeads, headDim);
        float[] parts = new float[2 + numChunks * size];
        int col = numHeads * headDim;
        float[] out = new float[headDim * numHeads];
        candidate.attentionParts(
                q, numRows, cache, LAYER, 1, length - 1, cut, numChunks, parts, 2 + cut * size, scratch);
        candidate.attentionParts(q, numRows, cache, LAYER, 1, length - 1, 0, cut, parts, 2, scratch);
        AttentionParts.join(parts, 2, numChunks, numHeads, headDim, out, 0);
        int from = expected.offset(numRows) + col;
        assertThat(out)
                .describedAs("%s, the last row in parts, cut at %d", what, cut)
                .containsExactly(Arrays.copyOfRange(expected.data(), from, from + col));
    }

    private static FloatMatrix untouched(FloatMatrix q) {
        float[] data = new float[q.data().length];
        Arrays.fill(data, UNTOUCHED);
        return new FloatMatrix(data, q.numRows(), q.cols());
    }
}

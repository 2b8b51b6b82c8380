package dev.mixtral.train.finetune;

import static org.bytedeco.pytorch.global.torch.empty;

import dev.mixtral.format.MatrixRows;
import dev.mixtral.format.RopeLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;

/// Decodes stored matrices into one f32 tensor of PyTorch, several threads at once.
final class DecodedMatrix {
    private static final int ROWS_PER_TASK = 256;

    private DecodedMatrix() {}

    /// A stored matrix, and the order that its rows are wanted in.
    ///
    /// @param headDim width of the heads whose rows are to be reordered from side by side to half-split; 0
    ///     for none
    record Source(MatrixRows stored, int headDim) {
        /// A matrix whose rows stay in order.
        static Source plain(MatrixRows stored) {
            return new Source(stored, 0);
        }

        /// Queries or keys, which are computed half-split.
        static Source heads(MatrixRows stored, RopeLayout layout, int headDim) {
            return new Source(stored, layout == RopeLayout.INTERLEAVED ? headDim : 0);
        }

        /// Returns which stored row is row `row` of the result.
        int storedRow(int row) {
            if (headDim == 0) {
                return row;
            }
            int half = headDim / 2;
            int inHead = row % headDim;
            return row - inHead + (inHead < half ? 2 * inHead : 2 * (inHead - half) + 1);
        }
    }

    /// Decodes matrices with equal columns, one below the other.
    ///
    /// @return `[sum of rows, cols]`
    static Tensor decode(List<Source> sources, ExecutorService executor) {
        int cols = sources.getFirst().stored().cols();
        long rows = sources.stream().mapToLong(source -> source.stored().rows()).sum();
        Tensor result = empty(rows, cols);
        List<Future<?>> pending = new ArrayList<>();
        long offset = 0;
        for (Source source : sources) {
            int numRows = source.stored().rows();
            for (int from = 0; from < numRows; from += ROWS_PER_TASK) {
                int first = from;
                int end = Math.min(numRows, from + ROWS_PER_TASK);
                long at = offset + (long) from * cols;
                FloatPointer target = new FloatPointer(result.data_ptr());
                pending.add(executor.submit(() -> decodeRows(source, first, end, target.position(at))));
            }
            offset += (long) numRows * cols;
        }
        pending.forEach(DecodedMatrix::join);
        return result;
    }

    private static void decodeRows(Source source, int from, int to, FloatPointer target) {
        int cols = source.stored().cols();
        float[] floats = new float[cols];
        long start = target.position();
        for (int row = from; row < to; row++) {
            source.stored().read(source.storedRow(row), floats);
            target.position(start + (long) (row - from) * cols).put(floats, 0, cols);
        }
    }

    private static void join(Future<?> future) {
        try {
            future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while weights are decoded", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("decoding weights failed: " + e.getCause(), e.getCause());
        }
    }
}

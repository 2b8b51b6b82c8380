package dev.mixtral.quantize;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.lora.LoraDelta;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.quantize.QuantizePlan.PlannedTensor;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Dequantizer;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Encodes one matrix at a time, its rows on several threads, and measures what is lost. The result does not depend
/// on the number of threads, the measured error included.
final class MatrixEncoder {
    private static final int CHUNK_ELEMENTS = 1 << 18;

    private final String source;
    private final ExecutorService threads;
    private final @Nullable LoraDeltas adapter;

    /// @param source where the weights come from, for messages
    /// @param threads not shut down by this encoder
    /// @param adapter merged into the matrices before they are encoded, or `null`
    MatrixEncoder(String source, ExecutorService threads, @Nullable LoraDeltas adapter) {
        this.source = source;
        this.threads = threads;
        this.adapter = adapter;
    }

    /// What was lost in a matrix.
    ///
    /// @param squaredError sum of the squared differences
    /// @param squares sum of the squared elements
    record Loss(double squaredError, double squares) {
        static final Loss NONE = new Loss(0, 0);

        Loss plus(Loss other) {
            return new Loss(squaredError + other.squaredError, squares + other.squares);
        }

        /// Returns the root of the mean squared error, relative to the root mean square.
        double relative() {
            return squares == 0 ? 0 : Math.sqrt(squaredError / squares);
        }
    }

    /// Encodes one matrix of a tensor.
    ///
    /// @param index which of its matrices
    /// @param importance one weight per column, or `null`
    /// @param out receives exactly the matrix's bytes
    /// @throws ModelFormatException if an element is infinite or not a number
    /// @throws InvalidRequestException if an element is too large for the type
    Loss encode(PlannedTensor tensor, int index, float @Nullable [] importance, MemorySegment out) {
        Tensor matrix = tensor.sources().get(index);
        LoraDelta delta =
                adapter == null ? null : adapter.of(tensor.part().weights().get(index));
        int rowsPerChunk = Math.max(1, CHUNK_ELEMENTS / matrix.cols());
        List<Callable<Loss>> chunks = new ArrayList<>();
        for (int from = 0; from < matrix.rows(); from += rowsPerChunk) {
            int first = from;
            int last = Math.min(matrix.rows(), from + rowsPerChunk);
            chunks.add(() -> new RowEncoder(tensor, matrix, delta, importance, out).encode(first, last));
        }
        return sum(chunks);
    }

    private Loss sum(List<Callable<Loss>> chunks) {
        try {
            Loss total = Loss.NONE;
            for (Future<Loss> chunk : threads.invokeAll(chunks)) {
                total = total.plus(chunk.get());
            }
            return total;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while encoding", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    /// The work of one thread on some rows.
    private final class RowEncoder {
        private final PlannedTensor tensor;
        private final Tensor matrix;
        private final @Nullable LoraDelta delta;
        private final DType type;
        private final float @Nullable [] importance;
        private final MemorySegment out;
        private final long rowBytes;
        private final float[] row;
        private final float[] decoded;
        private final BlockQuantizer quantizer = new BlockQuantizer();

        RowEncoder(
                PlannedTensor tensor,
                Tensor matrix,
                @Nullable LoraDelta delta,
                float @Nullable [] importance,
                MemorySegment out) {
            this.tensor = tensor;
            this.matrix = matrix;
            this.delta = delta;
            this.type = tensor.choice().type();
            this.importance = importance;
            this.out = out;
            this.rowBytes = type.byteSize(matrix.cols());
            this.row = new float[matrix.cols()];
            this.decoded = new float[matrix.cols()];
        }

        Loss encode(int from, int to) {
            double squaredError = 0;
            double squares = 0;
            for (int r = from; r < to; r++) {
                encodeRow(r);
                double rowError = 0;
                for (int c = 0; c < row.length; c++) {
                    double difference = (double) decoded[c] - row[c];
                    rowError += difference * difference;
                    squares += (double) row[c] * row[c];
                }
                if (!Double.isFinite(rowError)) {
                    throw tooLarge(r);
                }
                squaredError += rowError;
            }
            return new Loss(squaredError, squares);
        }

        private void encodeRow(int r) {
            int sourceRow = tensor.sourceRow(r);
            long sourceAt = sourceRow * matrix.rowBytes();
            Dequantizer.dequantize(matrix.type(), matrix.data(), sourceAt, row, 0, row.length);
            for (int c = 0; c < row.length; c++) {
                if (!Float.isFinite(row[c])) {
                    throw new ModelFormatException(
                            source,
                            "tensor " + matrix.name() + ": " + row[c] + " in row " + sourceRow + ", column " + c
                                    + "; finite numbers expected",
                            null);
                }
            }
            if (delta != null) {
                delta.apply(sourceRow, row);
            }
            if (matrix.type() == type && delta == null) {
                MemorySegment.copy(matrix.data(), sourceAt, out, r * rowBytes, rowBytes);
            } else {
                quantizer.quantize(type, row, 0, row.length, importance, out, r * rowBytes);
            }
            Dequantizer.dequantize(type, out, r * rowBytes, decoded, 0, row.length);
        }

        private InvalidRequestException tooLarge(int r) {
            return new InvalidRequestException(
                    "type",
                    source + ": tensor " + matrix.name() + ": row " + tensor.sourceRow(r)
                            + " has elements too large for " + type + ", up to "
                            + Math.abs(ScaleSearch.extreme(row, 0, row.length)) + ". Choose bf16 or f32.");
        }
    }
}

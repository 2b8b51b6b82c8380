package dev.mixtral.kernel.scalar;

import dev.mixtral.tensor.PackedDecoder;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;

/// One output of a product with packed weights, as [dev.mixtral.kernel.Kernels] defines it.
final class PackedProducts {
    private static final int HALF = PackedType.COLS / 2;

    private final PackedMatrix matrix;
    private final PackedDecoder decoder;

    PackedProducts(PackedMatrix matrix) {
        this.matrix = matrix;
        this.decoder = new PackedDecoder(matrix);
    }

    float dot(int row, QuantizedRows x, int token) {
        PackedType.Scales kind = matrix.type().scales();
        float sum = 0;
        for (int sub = 0; sub < matrix.cols() / PackedType.COLS; sub++) {
            int first = integerDot(row, x, token, sub * PackedType.COLS);
            int second = integerDot(row, x, token, sub * PackedType.COLS + HALF);
            int at = x.scalesOffset(token) + sub * QuantizedRows.SCALES_PER_RUN;
            float d = x.scales()[at];
            if (kind.halfGroups()) {
                sum = Math.fma(first, decoder.scale(row, sub, 0) * d, sum);
                sum = Math.fma(second, decoder.scale(row, sub, 1) * d, sum);
                if (kind.hasMin()) {
                    sum = Math.fma(decoder.min(row, sub, 0), x.scales()[at + 2], sum);
                    sum = Math.fma(decoder.min(row, sub, 1), x.scales()[at + 3], sum);
                }
            } else {
                sum = Math.fma(first + second, decoder.scale(row, sub, 0) * d, sum);
                if (kind.hasMin()) {
                    sum = Math.fma(decoder.min(row, sub, 0), x.scales()[at + 1], sum);
                }
            }
        }
        return sum;
    }

    private int integerDot(int row, QuantizedRows x, int token, int col) {
        int sum = 0;
        for (int c = col; c < col + HALF; c++) {
            sum += decoder.integer(row, c) * x.codes()[x.codesOffset(token) + c];
        }
        return sum;
    }
}

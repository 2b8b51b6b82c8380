package dev.mixtral.tensor;

import static dev.mixtral.tensor.LittleEndian.half;
import static dev.mixtral.tensor.LittleEndian.signedByte;
import static dev.mixtral.tensor.LittleEndian.unsignedByte;

import java.lang.foreign.MemorySegment;

/// Reads [PackedMatrix] element by element: plain code, the specification of every kernel that unpacks.
public final class PackedDecoder {
    private static final int ROWS = PackedType.ROWS;
    private static final int COLS = PackedType.COLS;
    private static final int GROUP = COLS / 2;

    private final PackedMatrix matrix;
    private final PackedType type;

    /// Creates a decoder; it holds no state.
    public PackedDecoder(PackedMatrix matrix) {
        this.matrix = matrix;
        this.type = matrix.type();
    }

    /// Decodes one row, bit for bit as [Dequantizer] decodes the matrix that was packed.
    ///
    /// @param out receives `cols` floats from index 0 on
    public void row(int row, float[] out) {
        boolean hasMin = type.scales().hasMin();
        for (int group = 0; group < matrix.cols() / GROUP; group++) {
            int sub = group / 2;
            long codes = codesOffset(row, sub);
            float scale = scale(row, sub, group % 2);
            float min = min(row, sub, group % 2);
            for (int c = group * GROUP; c < (group + 1) * GROUP; c++) {
                float value = scale * type.integer(code(codes, row, c));
                out[c] = hasMin ? value + min : value;
            }
        }
    }

    /// Returns the integer that a code stands for.
    public int integer(int row, int col) {
        return type.integer(code(codesOffset(row, col / COLS), row, col));
    }

    /// Returns what a group's integers are multiplied by.
    ///
    /// @param sub which 32 columns
    /// @param group 0 for the first 16 of them, 1 for the others
    public float scale(int row, int sub, int group) {
        long superAt = type.superBlockOffset(matrix.cols(), row / ROWS, sub);
        long at = type.subBlockOffset(matrix.cols(), row / ROWS, sub);
        int lane = row % ROWS;
        float d = half(matrix.data(), (type.hasSuperScales() ? superAt : at) + 2L * lane);
        return switch (type.scales()) {
            case HALF, HALF_WITH_MIN -> d;
            case BYTES, BYTES_WITH_MIN -> d * signedByte(matrix.data(), at + lane);
            case BYTES_16 -> d * signedByte(matrix.data(), at + (long) ROWS * group + lane);
            case NIBBLES_16 -> d * (unsignedByte(matrix.data(), at + (long) ROWS * group + lane) & 15);
        };
    }

    /// Returns what is added to each weight of a group that has a minimum.
    public float min(int row, int sub, int group) {
        long superAt = type.superBlockOffset(matrix.cols(), row / ROWS, sub);
        long at = type.subBlockOffset(matrix.cols(), row / ROWS, sub);
        int lane = row % ROWS;
        return switch (type.scales()) {
            case HALF_WITH_MIN -> half(matrix.data(), at + 2L * (ROWS + lane));
            case BYTES_WITH_MIN -> -(dmin(superAt, lane) * unsignedByte(matrix.data(), at + ROWS + lane));
            case NIBBLES_16 ->
                -(dmin(superAt, lane) * (unsignedByte(matrix.data(), at + (long) ROWS * group + lane) >> 4));
            case HALF, BYTES, BYTES_16 -> 0;
        };
    }

    private float dmin(long superAt, int lane) {
        return half(matrix.data(), superAt + 2L * (ROWS + lane));
    }

    private long codesOffset(int row, int sub) {
        return type.subBlockOffset(matrix.cols(), row / ROWS, sub) + type.scaleBytes();
    }

    private int code(long at, int row, int col) {
        int quad = col % COLS / 4;
        int inQuad = 4 * (row % ROWS) + col % 4;
        MemorySegment data = matrix.data();
        int low = switch (type.lowBits()) {
            case 8 -> unsignedByte(data, at + 64L * quad + inQuad);
            case 4 -> unsignedByte(data, at + 64L * (quad % 4) + inQuad) >> (4 * (quad / 4)) & 15;
            default -> pair(data, at, quad, inQuad);
        };
        long high = at + type.lowPlaneBytes();
        return switch (type.highBits()) {
            case 1 -> low | (unsignedByte(data, high + inQuad) >> quad & 1) << type.lowBits();
            case 2 -> low | pair(data, high, quad, inQuad) << type.lowBits();
            default -> low;
        };
    }

    private static int pair(MemorySegment data, long at, int quad, int inQuad) {
        return unsignedByte(data, at + 64L * (quad / 4) + inQuad) >> (2 * (quad % 4)) & 3;
    }
}

package dev.mixtral.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Packs stored matrices into panels. Only moves bits: [PackedDecoder] gives the very numbers that [Dequantizer] does.
///
/// Confined to one thread, which packs panel after panel; several packers may fill one matrix.
public final class Packer {
    private static final int ROWS = PackedType.ROWS;

    private final PackedType type;
    private final DType source;
    private final int[] quads = new int[8];

    /// Creates a packer.
    public Packer(PackedType type) {
        this.type = type;
        this.source = type.source();
    }

    /// Packs rows `16 · panel …` of a matrix.
    ///
    /// @param tensor `[rows, cols]` of the type's source
    /// @param panel which 16 rows; missing ones become zeros
    /// @param out receives one panel at `at`
    public void pack(Tensor tensor, int panel, MemorySegment out, long at) {
        int firstRow = panel * ROWS;
        int numRows = Math.min(ROWS, tensor.rows() - firstRow);
        int numSubs = tensor.cols() / PackedType.COLS;
        int subsPerBlock = source.blockSize() / PackedType.COLS;
        if (numRows < ROWS) {
            out.asSlice(at, type.panelBytes(tensor.cols())).fill((byte) 0);
        }
        for (int sub = 0; sub < numSubs; sub++) {
            long superAt = at + type.superBlockOffset(tensor.cols(), 0, sub);
            long subAt = at + type.subBlockOffset(tensor.cols(), 0, sub);
            for (int row = 0; row < numRows; row++) {
                long block = (firstRow + row) * tensor.rowBytes() + (long) (sub / subsPerBlock) * source.blockBytes();
                int subOfBlock = sub % subsPerBlock;
                if (type.hasSuperScales()) {
                    if (subOfBlock == 0) {
                        halves(tensor.data(), block, out, superAt, row);
                    }
                    byteScales(tensor.data(), block, subOfBlock, out, subAt, row);
                } else {
                    halves(tensor.data(), block, out, subAt, row);
                }
                BlockCodes.read(source, tensor.data(), block, subOfBlock, quads);
                planes(out, subAt + type.scaleBytes(), row);
            }
        }
    }

    /// Copies the f16 scale, and the minimum behind it if there is one.
    private void halves(MemorySegment data, long block, MemorySegment out, long at, int row) {
        long scale = block + BlockCodes.scaleOffset(source);
        out.set(LittleEndian.SHORT, at + 2L * row, data.get(LittleEndian.SHORT, scale));
        if (type.scales().hasMin()) {
            out.set(LittleEndian.SHORT, at + 2L * (ROWS + row), data.get(LittleEndian.SHORT, scale + 2));
        }
    }

    private void byteScales(MemorySegment data, long block, int sub, MemorySegment out, long at, int row) {
        if (type.scales().halfGroups()) {
            putByte(out, at + row, BlockCodes.scale(source, data, block, 2 * sub));
            putByte(out, at + ROWS + row, BlockCodes.scale(source, data, block, 2 * sub + 1));
            return;
        }
        putByte(out, at + row, BlockCodes.scale(source, data, block, sub));
        if (type.scales().hasMin()) {
            putByte(out, at + ROWS + row, BlockCodes.min(data, block, sub));
        }
    }

    private static void putByte(MemorySegment out, long at, int value) {
        out.set(ValueLayout.JAVA_BYTE, at, (byte) value);
    }

    private void planes(MemorySegment out, long at, int row) {
        switch (type.lowBits()) {
            case 8 -> {
                for (int j = 0; j < 8; j++) {
                    putQuad(out, at, j, row, quads[j]);
                }
            }
            case 4 -> {
                for (int j = 0; j < 4; j++) {
                    putQuad(out, at, j, row, (quads[j] & 0x0f0f0f0f) | (quads[j + 4] & 0x0f0f0f0f) << 4);
                }
            }
            default -> pairs(out, at, row, 0);
        }
        long high = at + type.lowPlaneBytes();
        switch (type.highBits()) {
            case 1 -> {
                int word = 0;
                for (int j = 0; j < 8; j++) {
                    word |= (quads[j] >>> type.lowBits() & 0x01010101) << j;
                }
                putQuad(out, high, 0, row, word);
            }
            case 2 -> pairs(out, high, row, type.lowBits());
            default -> {}
        }
    }

    private void pairs(MemorySegment out, long at, int row, int shift) {
        for (int p = 0; p < 2; p++) {
            int word = 0;
            for (int j = 0; j < 4; j++) {
                word |= (quads[4 * p + j] >>> shift & 0x03030303) << (2 * j);
            }
            putQuad(out, at, p, row, word);
        }
    }

    private static void putQuad(MemorySegment out, long at, int quad, int row, int word) {
        out.set(LittleEndian.INT, at + 64L * quad + 4L * row, word);
    }
}

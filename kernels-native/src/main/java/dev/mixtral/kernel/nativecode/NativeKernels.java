package dev.mixtral.kernel.nativecode;

import dev.mixtral.kernel.DelegatingKernels;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.QuantizedRows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Kernels in C for packed weights; what they leave out is done by other kernels.
///
/// Weights are passed by address: whoever owns a model keeps its memory until the last call has returned.
final class NativeKernels extends DelegatingKernels {
    /// Working memory of the C code is fixed: MX_MAX_HEAD_DIM.
    private static final int MAX_HEAD_DIM = 256;

    private final InstructionSet instructionSet;
    private final int isa;

    /// @param others for the operations that have no C code
    NativeKernels(InstructionSet instructionSet, Kernels others) {
        super(others);
        this.instructionSet = instructionSet;
        this.isa = instructionSet.number();
    }

    /// Returns the mask of usable instruction sets.
    static int instructionSets() {
        try {
            return (int) Functions.INSTRUCTION_SETS.invokeExact();
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    public String name() {
        return "native:" + instructionSet.variant();
    }

    @Override
    public boolean prefersPacked() {
        return true;
    }

    @Override
    @SuppressWarnings("restricted") // gives the C code's memory its length and its owner
    public MemorySegment allocateWeights(long bytes, Arena arena) {
        try {
            MemorySegment memory = (MemorySegment) Functions.ALLOCATE.invokeExact(bytes);
            if (memory.address() == 0) {
                throw new OutOfMemoryError("no memory for " + bytes + " bytes of weights");
            }
            return memory.reinterpret(bytes, arena, segment -> release(segment, bytes));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private static void release(MemorySegment memory, long bytes) {
        try {
            Functions.RELEASE.invokeExact(memory, bytes);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    public void quantize(FloatMatrix x, int row, QuantizedRows out) {
        try {
            Functions.QUANTIZE.invokeExact(
                    isa,
                    x.segment(),
                    (long) x.offset(row),
                    (long) x.cols(),
                    out.codesSegment(),
                    (long) out.codesOffset(row),
                    out.scalesSegment(),
                    (long) out.scalesOffset(row));
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    public void matmul(
            PackedMatrix w,
            int fromRow,
            int toRow,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            FloatMatrix out,
            Scratch scratch) {
        try {
            Functions.MATMUL.invokeExact(
                    isa,
                    w.type().number(),
                    w.data().address() + fromRow / PackedType.ROWS * w.panelBytes(),
                    (long) (toRow - fromRow),
                    (long) w.cols(),
                    x.codesSegment(),
                    (long) x.codesStride(),
                    x.scalesSegment(),
                    (long) x.scalesStride(),
                    (long) fromToken,
                    (long) numTokens,
                    out.segment(),
                    (long) out.offset(fromToken) + fromRow,
                    (long) out.cols());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    public void gateUp(
            PackedMatrix gateUp,
            int from,
            int to,
            QuantizedRows x,
            int fromToken,
            int numTokens,
            QuantizedRows hidden,
            Scratch scratch) {
        long firstRun = from / QuantizedRows.RUN;
        try {
            Functions.GATE_UP.invokeExact(
                    isa,
                    gateUp.type().number(),
                    // A run of 32 columns takes two panels of gate and two of up.
                    gateUp.data().address() + 4 * firstRun * gateUp.panelBytes(),
                    firstRun,
                    (long) (to - from) / QuantizedRows.RUN,
                    (long) gateUp.cols(),
                    x.codesSegment(),
                    (long) x.codesStride(),
                    x.scalesSegment(),
                    (long) x.scalesStride(),
                    (long) fromToken,
                    (long) numTokens,
                    hidden.codesSegment(),
                    (long) hidden.codesStride(),
                    hidden.scalesSegment(),
                    (long) hidden.scalesStride());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    @Override
    public void attention(
            FloatMatrix q,
            int fromRow,
            int numRows,
            KvCache kv,
            int layer,
            int kvHead,
            int firstPosition,
            FloatMatrix out,
            Scratch scratch) {
        if (!hasAttention(kv.layout())) {
            super.attention(q, fromRow, numRows, kv, layer, kvHead, firstPosition, out, scratch);
            return;
        }
        int firstCol = kvHead * (q.cols() / kv.layout().numKvHeads());
        attention(
                q,
                fromRow,
                numRows,
                kv,
                layer,
                kvHead,
                firstPosition,
                0,
                0,
                out.segment(),
                (long) out.offset(fromRow) + firstCol,
                out.cols());
    }

    @Override
    public void attentionParts(
            FloatMatrix q,
            int row,
            KvCache kv,
            int layer,
            int kvHead,
            int position,
            int fromChunk,
            int toChunk,
            float[] parts,
            int at,
            Scratch scratch) {
        if (!hasAttention(kv.layout())) {
            super.attentionParts(q, row, kv, layer, kvHead, position, fromChunk, toChunk, parts, at, scratch);
            return;
        }
        if (fromChunk == toChunk) {
            return;
        }
        MemorySegment out = MemorySegment.ofArray(parts);
        attention(q, row, 1, kv, layer, kvHead, position, fromChunk, toChunk, out, at, 0);
    }

    private static boolean hasAttention(KvLayout layout) {
        return layout.headDim() % KvLayout.GROUP == 0 && layout.headDim() <= MAX_HEAD_DIM;
    }

    /// @param toChunk 0 for all chunks, joined
    private void attention(
            FloatMatrix q,
            int fromRow,
            int numRows,
            KvCache kv,
            int layer,
            int kvHead,
            int firstPosition,
            int fromChunk,
            int toChunk,
            MemorySegment out,
            long outAt,
            long outStride) {
        KvLayout layout = kv.layout();
        int headDim = layout.headDim();
        int heads = q.cols() / headDim / layout.numKvHeads();
        try {
            Functions.ATTENTION.invokeExact(
                    isa,
                    layout.type().number(),
                    q.segment(),
                    (long) q.offset(fromRow) + (long) kvHead * heads * headDim,
                    (long) q.cols(),
                    (long) numRows,
                    (long) heads,
                    (long) headDim,
                    kv.blockAddresses(),
                    layout.keyGroupOffset(layer, kvHead, 0),
                    layout.valuesOffset(layer, kvHead),
                    (long) firstPosition + 1,
                    (long) fromChunk,
                    (long) toChunk,
                    (float) (1 / Math.sqrt(headDim)),
                    out,
                    outAt,
                    outStride);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /// A downcall only declares `Throwable`: it throws what the Java code around it does.
    private static RuntimeException failed(Throwable e) {
        return switch (e) {
            case RuntimeException unchecked -> unchecked;
            case Error error -> throw error;
            default -> new IllegalStateException(e);
        };
    }
}

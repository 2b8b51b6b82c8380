package dev.mixtral.kernel.nativecode;

import dev.mixtral.kernel.DelegatingKernels;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
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
            int row,
            KvCache kv,
            int layer,
            int kvHead,
            int numPositions,
            FloatMatrix out,
            Scratch scratch) {
        KvLayout layout = kv.layout();
        int headDim = layout.headDim();
        int heads = q.cols() / headDim / layout.numKvHeads();
        if (headDim % KvLayout.GROUP != 0) {
            super.attention(q, row, kv, layer, kvHead, numPositions, out, scratch);
            return;
        }
        try {
            Functions.ATTENTION.invokeExact(
                    isa,
                    layout.type() == KvType.F16 ? 1 : 0,
                    q.segment(),
                    (long) q.offset(row) + (long) kvHead * heads * headDim,
                    (long) heads,
                    (long) headDim,
                    kv.blockAddresses(),
                    layout.keyGroupOffset(layer, kvHead, 0),
                    layout.valueOffset(layer, kvHead, 0),
                    (long) numPositions,
                    (float) (1 / Math.sqrt(headDim)),
                    out.segment(),
                    (long) out.offset(row) + (long) kvHead * heads * headDim);
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

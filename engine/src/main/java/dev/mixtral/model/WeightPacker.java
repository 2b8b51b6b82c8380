package dev.mixtral.model;

import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.Packer;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Packs the quantised matrices of a checkpoint when it is loaded, panels in parallel. Plain numbers (F32, F16, BF16)
/// stay as they are: they are read in order and multiplied exactly.
final class WeightPacker {
    private static final int PANELS_PER_TASK = 4;

    private final Kernels kernels;
    private final ThreadTeam team;
    private final Arena arena;

    /// @param arena owns the packed weights
    WeightPacker(Kernels kernels, ThreadTeam team, Arena arena) {
        this.kernels = kernels;
        this.team = team;
        this.arena = arena;
    }

    /// Returns the matrix packed, or as it is if it is not quantised.
    Linear linear(Tensor tensor) {
        Optional<PackedType> type = typeOf(tensor);
        if (type.isEmpty()) {
            return new Linear.Plain(tensor);
        }
        long bytes = PackedMatrix.byteSize(type.get(), tensor.rows(), tensor.cols());
        MemorySegment data = kernels.allocateWeights(bytes, arena);
        return new Linear.Packed(pack(tensor, type.get(), data));
    }

    private PackedMatrix pack(Tensor tensor, PackedType type, MemorySegment data) {
        long panelBytes = type.panelBytes(tensor.cols());
        forPanels(tensor, panel -> new Packer(type).pack(tensor, panel, data, panel * panelBytes));
        return new PackedMatrix(tensor.name(), type, tensor.rows(), tensor.cols(), data);
    }

    /// Returns the expert packed in one run of memory, or as it is if that is not possible.
    Expert expert(Tensor w1, Tensor w2, Tensor w3) {
        Optional<PackedType> inner = typeOf(w1);
        Optional<PackedType> outer = typeOf(w2);
        boolean wholeRuns = w1.rows() % PackedType.COLS == 0;
        if (inner.isEmpty() || outer.isEmpty() || w1.type() != w3.type() || !wholeRuns) {
            return new Expert.Plain(w1, w2, w3);
        }
        long innerBytes = 2 * PackedMatrix.byteSize(inner.get(), w1.rows(), w1.cols());
        long outerBytes = PackedMatrix.byteSize(outer.get(), w2.rows(), w2.cols());
        MemorySegment data = kernels.allocateWeights(innerBytes + outerBytes, arena);
        PackedMatrix gateUp = interleave(w1, w3, inner.get(), data.asSlice(0, innerBytes));
        PackedMatrix down = pack(w2, outer.get(), data.asSlice(innerBytes, outerBytes));
        return new Expert.Packed(gateUp, new Linear.Packed(down));
    }

    private PackedMatrix interleave(Tensor gate, Tensor up, PackedType type, MemorySegment data) {
        long panelBytes = type.panelBytes(gate.cols());
        forPanels(gate, panel -> {
            Packer packer = new Packer(type);
            packer.pack(gate, panel, data, 2L * panel * panelBytes);
            packer.pack(up, panel, data, (2L * panel + 1) * panelBytes);
        });
        return new PackedMatrix(gate.name(), type, 2 * gate.rows(), gate.cols(), data);
    }

    private void forPanels(Tensor tensor, PanelTask task) {
        int numPanels = PackedMatrix.numPanels(tensor.rows());
        int numTasks = (numPanels + PANELS_PER_TASK - 1) / PANELS_PER_TASK;
        team.run(numTasks, (index, scratch) -> {
            int end = Math.min(numPanels, (index + 1) * PANELS_PER_TASK);
            for (int panel = index * PANELS_PER_TASK; panel < end; panel++) {
                task.pack(panel);
            }
        });
    }

    /// A checkpoint may quantise matrices of any width that its blocks allow.
    private static Optional<PackedType> typeOf(Tensor tensor) {
        DType type = tensor.type();
        return PackedType.of(type).filter(packed -> tensor.cols() % packed.superCols() == 0);
    }

    @FunctionalInterface
    private interface PanelTask {
        void pack(int panel);
    }
}

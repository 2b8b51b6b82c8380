package dev.mixtral.model;

import dev.mixtral.format.Checkpoint;
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
import java.util.stream.Stream;

/// Packs the quantised matrices of a checkpoint when it is loaded, panels in parallel. Plain numbers (F32, F16, BF16)
/// stay as they are: they are read in order and multiplied exactly.
public final class WeightPacker implements MatrixSource {
    private static final int PANELS_PER_TASK = 4;

    private final Checkpoint checkpoint;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final Arena arena;

    /// Creates a packer.
    ///
    /// @param kernels say where packed weights are best kept
    /// @param team packs in parallel
    /// @param arena owns the packed weights
    public WeightPacker(Checkpoint checkpoint, Kernels kernels, ThreadTeam team, Arena arena) {
        this.checkpoint = checkpoint;
        this.kernels = kernels;
        this.team = team;
        this.arena = arena;
    }

    /// Returns a matrix packed, or as it is if it is not quantised.
    @Override
    public Linear linear(String name) {
        Tensor tensor = checkpoint.tensor(name);
        Optional<PackedType> type = typeOf(tensor);
        if (type.isEmpty()) {
            return new Linear.Plain(tensor);
        }
        long bytes = PackedMatrix.byteSize(type.get(), tensor.rows(), tensor.cols());
        MemorySegment data = kernels.allocateWeights(bytes, arena);
        Linear packed = new Linear.Packed(pack(tensor, type.get(), data));
        releasePages(tensor.data());
        return packed;
    }

    /// Lets go of what the mapping of a file has brought into memory, once it has been copied.
    static void releasePages(MemorySegment read) {
        if (read.isMapped()) {
            read.unload();
        }
    }

    private PackedMatrix pack(Tensor tensor, PackedType type, MemorySegment data) {
        long panelBytes = type.panelBytes(tensor.cols());
        forPanels(tensor, panel -> new Packer(type).pack(tensor, panel, data, panel * panelBytes));
        return new PackedMatrix(tensor.name(), type, tensor.rows(), tensor.cols(), data);
    }

    /// Returns an expert packed in one run of memory, or as it is if that is not possible.
    @Override
    public Expert expert(String prefix) {
        Expert.Plain stored = new StoredMatrices(checkpoint).expert(prefix);
        Tensor w1 = stored.w1();
        Tensor w2 = stored.w2();
        Tensor w3 = stored.w3();
        if (!packsExpert(w1, w2, w3)) {
            return stored;
        }
        PackedType inner = typeOf(w1).orElseThrow();
        PackedType outer = typeOf(w2).orElseThrow();
        long innerBytes = 2 * PackedMatrix.byteSize(inner, w1.rows(), w1.cols());
        long outerBytes = PackedMatrix.byteSize(outer, w2.rows(), w2.cols());
        MemorySegment data = kernels.allocateWeights(innerBytes + outerBytes, arena);
        PackedMatrix gateUp = interleave(w1, w3, inner, data.asSlice(0, innerBytes));
        PackedMatrix down = pack(w2, outer, data.asSlice(innerBytes, outerBytes));
        Stream.of(w1, w2, w3).map(Tensor::data).forEach(WeightPacker::releasePages);
        return new Expert.Packed(gateUp, new Linear.Packed(down));
    }

    /// Returns whether an expert is packed: its gate and up share panels, so they must be of one type.
    public static boolean packsExpert(Tensor w1, Tensor w2, Tensor w3) {
        return typeOf(w1).isPresent()
                && typeOf(w2).isPresent()
                && w1.type() == w3.type()
                && w1.rows() % PackedType.COLS == 0;
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

    /// Returns how a matrix is packed, or empty if it stays as it is.
    public static Optional<PackedType> typeOf(Tensor tensor) {
        DType type = tensor.type();
        return PackedType.of(type).filter(packed -> tensor.cols() % packed.superCols() == 0);
    }

    @FunctionalInterface
    private interface PanelTask {
        void pack(int panel);
    }
}

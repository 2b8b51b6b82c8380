package dev.mixtral.model;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.tensor.PackedMatrix;
import dev.mixtral.tensor.PackedType;
import dev.mixtral.tensor.Packer;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

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
        return packs(checkpoint.tensor(name))
                ? new Linear.Packed(matrix(name))
                : new StoredMatrices(checkpoint).linear(name);
    }

    /// Returns a matrix packed, which must be one that [#packs].
    public PackedMatrix matrix(String name) {
        Tensor tensor = checkpoint.tensor(name);
        return pack(tensor, kernels.allocateWeights(packedBytes(tensor), arena));
    }

    /// Returns the gate and up of an expert packed in turns, which must be one that [#packsExpert].
    ///
    /// @param prefix what the names of its matrices begin with
    public PackedMatrix gateUp(String prefix) {
        Tensor gate = checkpoint.tensor(prefix + "w1");
        MemorySegment data = kernels.allocateWeights(2 * packedBytes(gate), arena);
        return interleave(gate, checkpoint.tensor(prefix + "w3"), data);
    }

    /// Lets go of what the mapping of a file has brought into memory, once it has been copied.
    static void releasePages(MemorySegment read) {
        if (read.isMapped()) {
            read.unload();
        }
    }

    private PackedMatrix pack(Tensor tensor, MemorySegment data) {
        PackedType type = typeOf(tensor);
        long panelBytes = type.panelBytes(tensor.cols());
        forPanels(tensor, panel -> new Packer(type).pack(tensor, panel, data, panel * panelBytes));
        releasePages(tensor.data());
        return new PackedMatrix(tensor.name(), type, tensor.rows(), tensor.cols(), data);
    }

    /// Returns an expert packed in one run of memory, or as it is if that is not possible.
    @Override
    public Expert expert(String prefix) {
        if (!packsExpert(checkpoint, prefix)) {
            return new StoredMatrices(checkpoint).expert(prefix);
        }
        Tensor gate = checkpoint.tensor(prefix + "w1");
        Tensor down = checkpoint.tensor(prefix + "w2");
        long innerBytes = 2 * packedBytes(gate);
        MemorySegment data = kernels.allocateWeights(innerBytes + packedBytes(down), arena);
        return new Expert.Packed(
                interleave(gate, checkpoint.tensor(prefix + "w3"), data.asSlice(0, innerBytes)),
                new Linear.Packed(pack(down, data.asSlice(innerBytes))));
    }

    /// Returns whether an expert is packed: its gate and up share panels, so they must be of one type.
    public static boolean packsExpert(Checkpoint checkpoint, String prefix) {
        Tensor gate = checkpoint.tensor(prefix + "w1");
        return packs(gate)
                && packs(checkpoint.tensor(prefix + "w2"))
                && gate.type() == checkpoint.tensor(prefix + "w3").type()
                && gate.rows() % PackedType.COLS == 0;
    }

    private PackedMatrix interleave(Tensor gate, Tensor up, MemorySegment data) {
        PackedType type = typeOf(gate);
        long panelBytes = type.panelBytes(gate.cols());
        forPanels(gate, panel -> {
            Packer packer = new Packer(type);
            packer.pack(gate, panel, data, 2L * panel * panelBytes);
            packer.pack(up, panel, data, (2L * panel + 1) * panelBytes);
        });
        releasePages(gate.data());
        releasePages(up.data());
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

    /// Returns whether a matrix is packed, or stays as it is.
    public static boolean packs(Tensor tensor) {
        return PackedType.of(tensor.type()).isPresent();
    }

    /// Returns how a matrix is packed, which must be one that [#packs].
    public static PackedType typeOf(Tensor tensor) {
        return PackedType.of(tensor.type()).orElseThrow();
    }

    private static long packedBytes(Tensor tensor) {
        return PackedMatrix.byteSize(typeOf(tensor), tensor.rows(), tensor.cols());
    }

    @FunctionalInterface
    private interface PanelTask {
        void pack(int panel);
    }
}

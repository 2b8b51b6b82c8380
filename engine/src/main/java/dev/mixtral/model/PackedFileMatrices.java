package dev.mixtral.model;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.PackedWeights;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.tensor.PackedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Matrices of a packed file, read into the memory that kernels like best and checked on the way.
final class PackedFileMatrices implements MatrixSource {
    private static final long PIECE_BYTES = 4L << 20;

    private final Checkpoint checkpoint;
    private final PackedWeights packed;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final Arena arena;

    /// @param arena owns the memory
    PackedFileMatrices(Checkpoint checkpoint, Kernels kernels, ThreadTeam team, Arena arena) {
        this.checkpoint = checkpoint;
        this.packed = checkpoint.packedWeights().orElseThrow();
        this.kernels = kernels;
        this.team = team;
        this.arena = arena;
    }

    @Override
    public Linear linear(String name) {
        Optional<PackedMatrix> matrix = packed.matrix(name);
        if (matrix.isEmpty()) {
            return new Linear.Plain(checkpoint.tensor(name));
        }
        MemorySegment memory = kernels.allocateWeights(matrix.get().data().byteSize(), arena);
        return new Linear.Packed(copy(matrix.get(), memory));
    }

    @Override
    public Expert expert(String prefix) {
        Optional<PackedMatrix> gateUp = packed.matrix(prefix + "gate_up");
        Optional<PackedMatrix> down = packed.matrix(prefix + "w2");
        if (gateUp.isEmpty() || down.isEmpty()) {
            return new StoredMatrices(checkpoint).expert(prefix);
        }
        long innerBytes = gateUp.get().data().byteSize();
        long outerBytes = down.get().data().byteSize();
        MemorySegment memory = kernels.allocateWeights(innerBytes + outerBytes, arena);
        return new Expert.Packed(
                copy(gateUp.get(), memory.asSlice(0, innerBytes)),
                new Linear.Packed(copy(down.get(), memory.asSlice(innerBytes, outerBytes))));
    }

    private PackedMatrix copy(PackedMatrix matrix, MemorySegment memory) {
        MemorySegment file = matrix.data();
        int numPieces = Math.toIntExact((file.byteSize() + PIECE_BYTES - 1) / PIECE_BYTES);
        team.run(numPieces, (piece, _) -> {
            long at = piece * PIECE_BYTES;
            MemorySegment.copy(file, at, memory, at, Math.min(PIECE_BYTES, file.byteSize() - at));
        });
        PackedMatrix copied = new PackedMatrix(matrix.name(), matrix.type(), matrix.rows(), matrix.cols(), memory);
        packed.verify(checkpoint.source(), copied);
        WeightPacker.releasePages(file);
        return copied;
    }
}

package dev.mixtral.train.finetune;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.PackedWeights.Stored;
import dev.mixtral.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/// Tells a model from another of the same shape by its small tensors, the norms and the routers, and by the beginning
/// of each large one: whole models take too long to read. Packed matrices have checksums of their own.
final class BaseIdentity {
    private static final long MAX_BYTES = 1 << 16;

    private BaseIdentity() {}

    static String of(Checkpoint checkpoint) {
        CRC32C checksum = new CRC32C();
        for (Checkpoint.StoredTensor stored : checkpoint.tensors()) {
            Tensor tensor = stored.tensor();
            long bytes = Math.min(MAX_BYTES, tensor.data().byteSize());
            byte[] head = tensor.data().asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
            checksum.update(ByteBuffer.wrap(head));
            checksum.update(Arrays.hashCode(tensor.shape()));
        }
        checkpoint.packedWeights().ifPresent(packed -> {
            List<Integer> sums =
                    packed.matrices().values().stream().map(Stored::checksum).toList();
            checksum.update(sums.hashCode());
        });
        return "%s checksum %08x".formatted(checkpoint.config(), checksum.getValue());
    }
}

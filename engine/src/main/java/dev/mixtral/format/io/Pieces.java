package dev.mixtral.format.io;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/// Memory of any size as buffers, which hold less than 2 GiB each.
public final class Pieces {
    private static final long MAX_BYTES = 1L << 30;

    private Pieces() {}

    /// Returns buffers over the memory, in order; nothing is copied.
    public static List<ByteBuffer> of(MemorySegment data) {
        List<ByteBuffer> pieces = new ArrayList<>();
        for (long at = 0; at < data.byteSize(); at += MAX_BYTES) {
            pieces.add(
                    data.asSlice(at, Math.min(MAX_BYTES, data.byteSize() - at)).asByteBuffer());
        }
        return pieces;
    }
}

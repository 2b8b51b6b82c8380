package dev.mixtral.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/// Everything a run needs to go on where it stopped: weights, moments and the step. The data of a step follow from
/// the seed and its number, so no position in the corpus is kept.
///
/// File: `MXTRAIN1`, then little-endian: i32 length and UTF-8 bytes of the run's identity, i32 step, f64 smoothed
/// loss, i64 n, three times n f32 (values, first and second moments), u32 CRC-32C of all before it. Written beside
/// its place and renamed, so that a killed run leaves the previous checkpoint whole.
///
/// @param step steps done
/// @param smoothedLoss for the progress line
record TrainingState(int step, double smoothedLoss) {
    private static final byte[] MAGIC = "MXTRAIN1".getBytes(StandardCharsets.US_ASCII);

    /// Writes a checkpoint.
    ///
    /// @param identity what the run must agree on to be continued
    void write(Path file, String identity, AdamW optimizer, Parameters parameters) {
        byte[] name = identity.getBytes(StandardCharsets.UTF_8);
        int count = Math.toIntExact(parameters.values().numel());
        ByteBuffer buffer = ByteBuffer.allocate(MAGIC.length + 4 + name.length + 4 + 8 + 8 + 12 * count + 4)
                .order(ByteOrder.LITTLE_ENDIAN);
        buffer.put(MAGIC).putInt(name.length).put(name).putInt(step).putDouble(smoothedLoss);
        buffer.putLong(count);
        for (Tensor tensor : new Tensor[] {parameters.values(), optimizer.firstMoment(), optimizer.secondMoment()}) {
            for (float value : Parameters.toArray(tensor)) {
                buffer.putFloat(value);
            }
        }
        buffer.putInt(checksum(buffer.duplicate().flip()));
        writeAside(file, buffer.flip());
    }

    /// Reads a checkpoint into a model and its optimiser.
    ///
    /// @throws IllegalArgumentException if the file is damaged or belongs to a run with another identity
    static TrainingState read(Path file, String identity, AdamW optimizer, Parameters parameters) {
        ByteBuffer buffer = readAll(file);
        byte[] magic = new byte[MAGIC.length];
        int end = buffer.limit() - 4;
        if (end < MAGIC.length
                || !java.util.Arrays.equals(MAGIC, take(buffer, magic))
                || checksum(buffer.duplicate().position(0).limit(end)) != buffer.getInt(end)) {
            throw new IllegalArgumentException(file + " is no checkpoint, or damaged: delete it and start without it");
        }
        String found = new String(take(buffer, new byte[buffer.getInt()]), StandardCharsets.UTF_8);
        if (!found.equals(identity)) {
            throw new IllegalArgumentException(
                    "%s belongs to another run:%n  %s%nexpected%n  %s%n".formatted(file, found, identity)
                            + "Give the options of that run, or another output folder.");
        }
        TrainingState state = new TrainingState(buffer.getInt(), buffer.getDouble());
        float[] values = new float[Math.toIntExact(buffer.getLong())];
        try (var _ = new PointerScope()) {
            for (Tensor tensor :
                    new Tensor[] {parameters.values(), optimizer.firstMoment(), optimizer.secondMoment()}) {
                buffer.asFloatBuffer().get(values);
                buffer.position(buffer.position() + 4 * values.length);
                tensor.copy_(Tensor.create(values));
            }
        }
        optimizer.resumeAt(state.step());
        return state;
    }

    private static byte[] take(ByteBuffer buffer, byte[] into) {
        buffer.get(into);
        return into;
    }

    private static int checksum(ByteBuffer bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes);
        return (int) checksum.getValue();
    }

    private static ByteBuffer readAll(Path file) {
        try {
            return ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    private static void writeAside(Path file, ByteBuffer bytes) {
        Path aside = file.resolveSibling(file.getFileName() + ".part");
        try {
            try (FileChannel channel = FileChannel.open(
                    aside, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the checkpoint " + file, e);
        }
    }
}

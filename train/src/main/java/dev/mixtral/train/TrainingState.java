package dev.mixtral.train;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.io.AtomicFile;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;

/// Everything a run needs to go on where it stopped: weights, moments and the step. The data of a step follow from
/// the seed and its number, so no position in the data is kept.
///
/// File: `MXTRAIN1`, then little-endian: i32 length and UTF-8 bytes of the run's identity, i32 step, f64 smoothed
/// loss, i64 n, three times n f32 (values, first and second moments), u32 CRC-32C of all before it. Written beside
/// its place, forced to the disk and renamed, so that a killed run or a full disk leaves the previous
/// checkpoint whole.
///
/// @param step steps done
/// @param smoothedLoss for the progress line
public record TrainingState(int step, double smoothedLoss) {
    private static final byte[] MAGIC = "MXTRAIN1".getBytes(StandardCharsets.US_ASCII);
    private static final String IDENTITY_PARTS = "[,;] ";
    private static final int CHUNK = 1 << 16;
    private static final int MAX_IDENTITY = 1 << 20;

    /// Writes a checkpoint.
    ///
    /// @param identity what the run must agree on to be continued
    /// @throws UncheckedIOException if it cannot be written; the previous one is as it was
    public void write(Path file, String identity, AdamW optimizer, FlatParameters parameters) {
        byte[] name = identity.getBytes(StandardCharsets.UTF_8);
        ByteBuffer head =
                ByteBuffer.allocate(MAGIC.length + 4 + name.length + 4 + 8 + 8).order(ByteOrder.LITTLE_ENDIAN);
        head.put(MAGIC).putInt(name.length).put(name).putInt(step).putDouble(smoothedLoss);
        head.putLong(parameters.values().numel()).flip();
        AtomicFile.write(file, channel -> {
            CRC32C checksum = new CRC32C();
            put(channel, checksum, head);
            for (Tensor tensor : arrays(optimizer, parameters)) {
                putAll(channel, checksum, tensor);
            }
            ByteBuffer end = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
            AtomicFile.writeFully(channel, end.putInt((int) checksum.getValue()).flip());
        });
    }

    private static Tensor[] arrays(AdamW optimizer, FlatParameters parameters) {
        return new Tensor[] {parameters.values(), optimizer.firstMoment(), optimizer.secondMoment()};
    }

    private static void put(WritableByteChannel channel, CRC32C checksum, ByteBuffer bytes) throws IOException {
        checksum.update(bytes.duplicate());
        AtomicFile.writeFully(channel, bytes);
    }

    private static void putAll(WritableByteChannel channel, CRC32C checksum, Tensor tensor) throws IOException {
        FloatPointer source = new FloatPointer(tensor.data_ptr());
        float[] floats = new float[CHUNK];
        ByteBuffer bytes = ByteBuffer.allocate(4 * CHUNK).order(ByteOrder.LITTLE_ENDIAN);
        for (long from = 0; from < tensor.numel(); from += CHUNK) {
            int count = (int) Math.min(CHUNK, tensor.numel() - from);
            source.position(from).get(floats, 0, count);
            bytes.clear().asFloatBuffer().put(floats, 0, count);
            put(channel, checksum, bytes.limit(4 * count));
        }
    }

    /// Reads a checkpoint into the trained weights and their optimiser. If it fails, both may hold parts of it.
    ///
    /// @throws InvalidRequestException if the file is damaged or belongs to a run with another identity
    public static TrainingState read(Path file, String identity, AdamW optimizer, FlatParameters parameters) {
        CRC32C checksum = new CRC32C();
        try (var in = new DataInputStream(
                new CheckedInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 18), checksum))) {
            if (!Arrays.equals(in.readNBytes(MAGIC.length), MAGIC)) {
                throw damaged(file);
            }
            checkIdentity(file, in, identity);
            TrainingState state = new TrainingState(
                    Integer.reverseBytes(in.readInt()), Double.longBitsToDouble(Long.reverseBytes(in.readLong())));
            if (Long.reverseBytes(in.readLong()) != parameters.values().numel()) {
                throw damaged(file);
            }
            for (Tensor tensor : arrays(optimizer, parameters)) {
                takeAll(in, tensor);
            }
            int expected = (int) checksum.getValue();
            if (Integer.reverseBytes(in.readInt()) != expected || in.read() >= 0) {
                throw damaged(file);
            }
            optimizer.resumeAt(state.step());
            return state;
        } catch (EOFException e) {
            throw damaged(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static void checkIdentity(Path file, DataInputStream in, String identity) throws IOException {
        int length = Integer.reverseBytes(in.readInt());
        if (length < 0 || length > MAX_IDENTITY) {
            throw damaged(file);
        }
        String found = new String(in.readNBytes(length), StandardCharsets.UTF_8);
        if (!found.equals(identity)) {
            throw new InvalidRequestException(
                    "resume",
                    file + " belongs to another run, with " + onlyIn(found, identity) + "; this one has "
                            + onlyIn(identity, found) + ". Give the options of that run, or another output folder.");
        }
    }

    /// Returns the parts of an identity that another does not have.
    private static String onlyIn(String identity, String other) {
        List<String> others = List.of(other.split(IDENTITY_PARTS));
        return Arrays.stream(identity.split(IDENTITY_PARTS))
                .filter(part -> !others.contains(part))
                .collect(Collectors.joining(", "));
    }

    private static void takeAll(DataInputStream in, Tensor tensor) throws IOException {
        FloatPointer target = new FloatPointer(tensor.data_ptr());
        byte[] bytes = new byte[4 * CHUNK];
        float[] floats = new float[CHUNK];
        for (long from = 0; from < tensor.numel(); from += CHUNK) {
            int count = (int) Math.min(CHUNK, tensor.numel() - from);
            in.readFully(bytes, 0, 4 * count);
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(floats, 0, count);
            target.position(from).put(floats, 0, count);
        }
    }

    private static InvalidRequestException damaged(Path file) {
        return new InvalidRequestException(
                "resume", file + " is no checkpoint, or damaged: delete it, and start without --resume.");
    }
}

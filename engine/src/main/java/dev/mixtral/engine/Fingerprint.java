package dev.mixtral.engine;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoint.StoredTensor;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Properties;

/// Names what equal answers depend on: the version of this program, the architecture, the weights, the kernels, and
/// how activations, keys and values are stored.
///
/// Weights are sampled at two places of every tensor: models of 26 GB are told apart without being read.
final class Fingerprint {
    private static final int SAMPLE_BYTES = 64;
    private static final int NUM_BYTES = 6;

    private Fingerprint() {}

    /// Returns `fp_` and twelve hexadecimal digits.
    static String of(Checkpoint checkpoint, String kernels, KvType kvType, boolean exact) {
        MessageDigest digest = sha256();
        update(digest, version() + '\n' + kernels + '\n' + kvType + '\n' + exact + '\n' + checkpoint.config() + '\n');
        for (StoredTensor stored : checkpoint.tensors()) {
            Tensor tensor = stored.tensor();
            update(digest, tensor.name() + ' ' + tensor.type() + Arrays.toString(tensor.shape()) + '\n');
            MemorySegment data = tensor.data();
            sample(digest, data, 0);
            sample(digest, data, data.byteSize() / 2);
        }
        return name(digest);
    }

    /// Returns the name of what answers with an adapter depend on.
    ///
    /// @param base name of what the model's own answers depend on
    /// @param adapter digest of the adapter
    static String of(String base, byte[] adapter) {
        MessageDigest digest = sha256();
        update(digest, base);
        digest.update(adapter);
        return name(digest);
    }

    private static String name(MessageDigest digest) {
        return "fp_" + HexFormat.of().formatHex(digest.digest(), 0, NUM_BYTES);
    }

    private static void update(MessageDigest digest, String text) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void sample(MessageDigest digest, MemorySegment data, long offset) {
        long count = Math.min(SAMPLE_BYTES, data.byteSize() - offset);
        digest.update(data.asSlice(offset, count).toArray(ValueLayout.JAVA_BYTE));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static String version() {
        Properties properties = new Properties();
        try (InputStream stream = Fingerprint.class.getResourceAsStream("version.properties")) {
            if (stream != null) {
                properties.load(stream);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty("version", "unknown");
    }
}

package dev.mixtral.format.gguf;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Lays out everything of a GGUF file that precedes the data.
final class GgufHeaderBuilder {
    private final ByteArrayOutputStream header = new ByteArrayOutputStream();

    GgufHeaderBuilder(Map<String, GgufValue> metadata, List<GgufLayout.Declaration> tensors, long alignment) {
        int32(GgufFile.MAGIC);
        int32(GgufWriter.VERSION);
        int64(tensors.size());
        int64(metadata.size());
        metadata.forEach(this::pair);
        Set<String> names = new HashSet<>();
        long offset = 0;
        for (GgufLayout.Declaration tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("two tensors are called " + tensor.name());
            }
            tensorInfo(tensor, offset);
            offset += tensor.byteSize();
            offset += GgufLayout.padding(offset, alignment);
        }
    }

    byte[] build() {
        return header.toByteArray();
    }

    private void tensorInfo(GgufLayout.Declaration tensor, long offset) {
        string(tensor.name().getBytes(StandardCharsets.UTF_8));
        int32(tensor.shape().length);
        for (int i = tensor.shape().length - 1; i >= 0; i--) {
            int64(tensor.shape()[i]);
        }
        int32(tensor.ggmlId());
        int64(offset);
    }

    private void pair(String key, GgufValue value) {
        string(key.getBytes(StandardCharsets.UTF_8));
        switch (value) {
            case GgufValue.Int(GgufType type, long number) -> {
                int32(type.id());
                bytes(number, type.minBytes());
            }
            case GgufValue.Real(GgufType type, double number) -> {
                int32(type.id());
                bytes(
                        type == GgufType.FLOAT32
                                ? Float.floatToRawIntBits((float) number)
                                : Double.doubleToRawLongBits(number),
                        type.minBytes());
            }
            case GgufValue.Bool(boolean truth) -> {
                int32(GgufType.BOOL.id());
                bytes(truth ? 1 : 0, 1);
            }
            case GgufValue.Text(byte[] text) -> {
                int32(GgufType.STRING.id());
                string(text);
            }
            case GgufValue.Array array -> {
                int32(GgufType.ARRAY.id());
                int32(array.elementType().id());
                int64(array.length());
                header.writeBytes(array.data().toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }

    private void string(byte[] text) {
        int64(text.length);
        header.writeBytes(text);
    }

    private void int32(int value) {
        bytes(value, Integer.BYTES);
    }

    private void int64(long value) {
        bytes(value, Long.BYTES);
    }

    private void bytes(long value, int count) {
        byte[] all = ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        header.write(all, 0, count);
    }
}

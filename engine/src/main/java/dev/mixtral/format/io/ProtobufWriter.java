package dev.mixtral.format.io;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Builds one protobuf message, field by field in the order of the calls. Confined to one thread.
public final class ProtobufWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /// Adds a whole number, as a varint.
    public ProtobufWriter number(int field, long value) {
        varint((long) field << 3);
        varint(value);
        return this;
    }

    /// Adds a truth value.
    public ProtobufWriter flag(int field, boolean value) {
        return number(field, value ? 1 : 0);
    }

    /// Adds a `float`.
    public ProtobufWriter float32(int field, float value) {
        varint(((long) field << 3) | 5);
        fixed(Float.floatToIntBits(value), Integer.SIZE);
        return this;
    }

    /// Adds a `double`.
    public ProtobufWriter float64(int field, double value) {
        varint(((long) field << 3) | 1);
        fixed(Double.doubleToLongBits(value), Long.SIZE);
        return this;
    }

    /// Adds a text, in UTF-8.
    public ProtobufWriter string(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    /// Adds a message, as it is now.
    public ProtobufWriter message(int field, ProtobufWriter value) {
        return bytes(field, value.toByteArray());
    }

    /// Adds bytes.
    public ProtobufWriter bytes(int field, byte[] value) {
        varint(((long) field << 3) | 2);
        varint(value.length);
        out.writeBytes(value);
        return this;
    }

    /// Returns the bytes so far.
    public byte[] toByteArray() {
        return out.toByteArray();
    }

    private void fixed(long bits, int numBits) {
        for (int shift = 0; shift < numBits; shift += Byte.SIZE) {
            out.write((int) (bits >> shift));
        }
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }
}

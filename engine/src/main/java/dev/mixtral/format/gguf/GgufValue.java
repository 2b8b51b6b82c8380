package dev.mixtral.format.gguf;

import dev.mixtral.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// A metadata value.
public sealed interface GgufValue {
    /// An integer of any width.
    ///
    /// @param value sign-extended, or zero-extended if unsigned; a `UINT64` of 2^63 and more is negative here
    record Int(GgufType type, long value) implements GgufValue {}

    /// A floating-point number.
    record Real(GgufType type, double value) implements GgufValue {}

    /// A truth value.
    record Bool(boolean value) implements GgufValue {}

    /// A string.
    ///
    /// @param bytes usually UTF-8, but a piece of a byte-level vocabulary may be anything
    record Text(byte[] bytes) implements GgufValue {
        @Override
        public String toString() {
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    /// An array, left as it lies in the file: vocabularies are long, and most are never looked at.
    ///
    /// @param elementType anything but [GgufType#ARRAY]
    /// @param data all elements, checked to be complete; valid while the file is open
    record Array(GgufType elementType, int length, MemorySegment data) implements GgufValue {
        /// Returns the elements of an array of integers.
        long[] integers() {
            long[] integers = new long[length];
            for (int i = 0; i < length; i++) {
                integers[i] = readInteger(elementType, data, (long) i * elementType.minBytes());
            }
            return integers;
        }

        /// Returns the elements of an array of numbers.
        float[] floats() {
            float[] floats = new float[length];
            for (int i = 0; i < length; i++) {
                floats[i] = (float) readReal(elementType, data, (long) i * elementType.minBytes());
            }
            return floats;
        }

        /// Returns the elements of an array of strings.
        byte[][] strings() {
            byte[][] strings = new byte[length][];
            long position = 0;
            for (int i = 0; i < length; i++) {
                long bytes = data.get(LittleEndian.LONG, position);
                position += Long.BYTES;
                strings[i] = data.asSlice(position, bytes).toArray(ValueLayout.JAVA_BYTE);
                position += bytes;
            }
            return strings;
        }

        @Override
        public String toString() {
            return "[" + length + " × " + elementType + "]";
        }
    }

    /// Returns a string value.
    static GgufValue of(String text) {
        return new Text(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Returns a `UINT32`.
    static GgufValue of(int value) {
        return new Int(GgufType.UINT32, Integer.toUnsignedLong(value));
    }

    /// Returns a `FLOAT32`.
    static GgufValue of(float value) {
        return new Real(GgufType.FLOAT32, value);
    }

    /// Returns a `BOOL`.
    static GgufValue of(boolean value) {
        return new Bool(value);
    }

    /// Returns an array of `INT32`.
    static GgufValue of(int[] values) {
        ByteBuffer data = littleEndian((long) values.length * Integer.BYTES);
        data.asIntBuffer().put(values);
        return new Array(GgufType.INT32, values.length, MemorySegment.ofBuffer(data));
    }

    /// Returns an array of `FLOAT32`.
    static GgufValue of(float[] values) {
        ByteBuffer data = littleEndian((long) values.length * Float.BYTES);
        data.asFloatBuffer().put(values);
        return new Array(GgufType.FLOAT32, values.length, MemorySegment.ofBuffer(data));
    }

    /// Returns an array of strings, which may be any bytes.
    static GgufValue of(List<byte[]> values) {
        ByteBuffer data = littleEndian(
                values.stream().mapToLong(value -> Long.BYTES + value.length).sum());
        values.forEach(value -> data.putLong(value.length).put(value));
        return new Array(GgufType.STRING, values.size(), MemorySegment.ofBuffer(data.flip()));
    }

    private static ByteBuffer littleEndian(long bytes) {
        return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// Returns the integer of `type` at `offset`.
    static long readInteger(GgufType type, MemorySegment data, long offset) {
        return switch (type) {
            case UINT8 -> Byte.toUnsignedLong(data.get(ValueLayout.JAVA_BYTE, offset));
            case INT8 -> data.get(ValueLayout.JAVA_BYTE, offset);
            case UINT16 -> Short.toUnsignedLong(data.get(LittleEndian.SHORT, offset));
            case INT16 -> data.get(LittleEndian.SHORT, offset);
            case UINT32 -> Integer.toUnsignedLong(data.get(LittleEndian.INT, offset));
            case INT32 -> data.get(LittleEndian.INT, offset);
            case UINT64, INT64 -> data.get(LittleEndian.LONG, offset);
            case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> throw new IllegalArgumentException(type + " is no integer");
        };
    }

    /// Returns the floating-point number of `type` at `offset`.
    static double readReal(GgufType type, MemorySegment data, long offset) {
        return type == GgufType.FLOAT32
                ? Float.intBitsToFloat(data.get(LittleEndian.INT, offset))
                : Double.longBitsToDouble(data.get(LittleEndian.LONG, offset));
    }
}

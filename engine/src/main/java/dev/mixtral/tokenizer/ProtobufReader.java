package dev.mixtral.tokenizer;

import dev.mixtral.error.ModelFormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Walks the fields of one protobuf message, as much of the wire format as SentencePiece model files use.
///
/// Every length is checked against the bytes that are there before anything is allocated. Confined to one thread.
/// Source: protobuf.dev, "Encoding".
final class ProtobufReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED32 = 5;

    private final String file;
    private final ByteBuffer buffer;
    private final int base;
    private int field;
    private int wireType;

    ProtobufReader(String file, byte[] bytes) {
        this(file, ByteBuffer.wrap(bytes), 0);
    }

    private ProtobufReader(String file, ByteBuffer buffer, int base) {
        this.file = file;
        this.buffer = buffer.order(ByteOrder.LITTLE_ENDIAN);
        this.base = base;
    }

    /// Moves to the next field; its value must then be read or skipped. Returns `false` at the end of the message.
    boolean next() {
        if (!buffer.hasRemaining()) {
            return false;
        }
        long key = varint();
        field = (int) (key >>> 3);
        wireType = (int) (key & 7);
        if (field == 0 || key >>> 32 != 0) {
            throw broken("protobuf field key " + Long.toUnsignedString(key) + " is not valid");
        }
        return true;
    }

    /// Returns the number of the current field.
    int field() {
        return field;
    }

    long readLong() {
        expect(VARINT);
        return varint();
    }

    int readInt() {
        return (int) readLong();
    }

    boolean readBoolean() {
        return readLong() != 0;
    }

    float readFloat() {
        expect(FIXED32);
        require(Float.BYTES);
        return buffer.getFloat();
    }

    byte[] readBytes() {
        ByteBuffer slice = slice();
        byte[] bytes = new byte[slice.remaining()];
        slice.get(bytes);
        return bytes;
    }

    String readString() {
        int at = offset();
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(slice()).toString();
        } catch (CharacterCodingException e) {
            throw new ModelFormatException(file, "the string at byte " + at + " is not UTF-8", e);
        }
    }

    ProtobufReader readMessage() {
        ByteBuffer slice = slice();
        return new ProtobufReader(file, slice, offset() - slice.remaining());
    }

    void skip() {
        switch (wireType) {
            case VARINT -> varint();
            case FIXED64 -> advance(Long.BYTES);
            case LENGTH_DELIMITED -> slice();
            case FIXED32 -> advance(Float.BYTES);
            default -> throw broken("protobuf wire type " + wireType + " is not one of 0, 1, 2, 5");
        }
    }

    ModelFormatException broken(String problem) {
        return new ModelFormatException(file, problem + " (byte " + offset() + ")");
    }

    private int offset() {
        return base + buffer.position();
    }

    private ByteBuffer slice() {
        expect(LENGTH_DELIMITED);
        long length = varint();
        if (length < 0 || length > buffer.remaining()) {
            throw broken("field " + field + " claims " + Long.toUnsignedString(length) + " bytes, but only "
                    + buffer.remaining() + " are left");
        }
        ByteBuffer slice = buffer.slice(buffer.position(), (int) length);
        buffer.position(buffer.position() + (int) length);
        return slice;
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            require(1);
            byte b = buffer.get();
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw broken("a protobuf varint is longer than ten bytes");
    }

    private void advance(int count) {
        require(count);
        buffer.position(buffer.position() + count);
    }

    private void require(int count) {
        if (buffer.remaining() < count) {
            throw broken("the message ends in the middle of a value");
        }
    }

    private void expect(int expected) {
        if (wireType != expected) {
            throw broken("field " + field + " has protobuf wire type " + wireType + ", expected " + expected);
        }
    }
}

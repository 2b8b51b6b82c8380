package dev.mixtral.testing;

import dev.mixtral.testing.GuardedFiles.Change;
import dev.mixtral.testing.GuardedFiles.Guard;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A channel of [GuardedFiles].
final class GuardedChannel extends FileChannel {
    private final FileChannel plain;
    private final Path file;
    private final Guard guard;

    GuardedChannel(FileChannel plain, Path file, Guard guard) {
        this.plain = plain;
        this.file = file;
        this.guard = guard;
    }

    /// Returns the part of a buffer that may be written.
    private ByteBuffer allowed(ByteBuffer source) throws IOException {
        int count = guard.allow(Change.WRITE, file, source.remaining());
        return source.slice(source.position(), count);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        int written = plain.write(allowed(source));
        source.position(source.position() + written);
        return written;
    }

    @Override
    public int write(ByteBuffer source, long position) throws IOException {
        int written = plain.write(allowed(source), position);
        source.position(source.position() + written);
        return written;
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        guard.allow(Change.TRUNCATE, file, 0);
        plain.truncate(size);
        return this;
    }

    @Override
    public void force(boolean metaData) throws IOException {
        guard.allow(Change.FORCE, file, 0);
        plain.force(metaData);
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return plain.read(target);
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        return plain.read(target, position);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return plain.read(targets, offset, length);
    }

    @Override
    public long position() throws IOException {
        return plain.position();
    }

    @Override
    public FileChannel position(long position) throws IOException {
        plain.position(position);
        return this;
    }

    @Override
    public long size() throws IOException {
        return plain.size();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
        return plain.transferTo(position, count, target);
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
        return plain.map(mode, position, size);
    }

    @Override
    public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
        return plain.map(mode, offset, size, arena);
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) throws IOException {
        return plain.lock(position, size, shared);
    }

    @Override
    public @Nullable FileLock tryLock(long position, long size, boolean shared) throws IOException {
        return plain.tryLock(position, size, shared);
    }

    @Override
    protected void implCloseChannel() throws IOException {
        plain.close();
    }
}

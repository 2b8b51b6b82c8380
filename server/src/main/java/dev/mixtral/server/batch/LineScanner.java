package dev.mixtral.server.batch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/// Cuts a stream into lines, and knows where each lies. Keeps at most one line in memory. Confined to one thread.
final class LineScanner {
    private static final int BUFFER_BYTES = 1 << 16;

    private final InputStream in;
    private final int maxBytes;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private int at;
    private int end;
    private long position;
    private long offset;
    private long length;
    private boolean terminated;

    /// @param in stays the caller's to close
    /// @param maxBytes bytes of a line that are kept; the rest of a longer one is only counted
    LineScanner(InputStream in, int maxBytes) {
        this.in = in;
        this.maxBytes = maxBytes;
    }

    /// Goes to the next line.
    ///
    /// @return whether there is one
    boolean next() throws IOException {
        line.reset();
        offset = position;
        length = 0;
        terminated = false;
        while (fill()) {
            int lineEnd = at;
            while (lineEnd < end && buffer[lineEnd] != '\n') {
                lineEnd++;
            }
            keep(at, lineEnd - at);
            boolean isEnd = lineEnd < end;
            position += lineEnd - at + (isEnd ? 1 : 0);
            at = lineEnd + (isEnd ? 1 : 0);
            if (isEnd) {
                terminated = true;
                return true;
            }
        }
        return length > 0;
    }

    private boolean fill() throws IOException {
        if (at < end) {
            return true;
        }
        at = 0;
        end = Math.max(0, in.read(buffer));
        return end > 0;
    }

    private void keep(int from, int count) {
        line.write(buffer, from, (int) Math.min(count, Math.max(0, maxBytes - length)));
        length += count;
    }

    /// Returns where the line begins.
    long offset() {
        return offset;
    }

    /// Returns the line's length without its end.
    long length() {
        return length;
    }

    /// Returns the line without its end, cut off at the limit.
    byte[] bytes() {
        return line.toByteArray();
    }

    /// Returns whether the line has an end, and is not just where the stream broke off.
    boolean isTerminated() {
        return terminated;
    }
}

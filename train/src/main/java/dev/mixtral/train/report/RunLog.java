package dev.mixtral.train.report;

import dev.mixtral.format.io.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// The log of a run: one JSON object per step, in a file that a continued run cuts back to its checkpoint and goes on
/// with. Confined to one thread.
public final class RunLog implements AutoCloseable {
    private static final JsonMapper JSON = new JsonMapper();

    private final Path file;
    private final List<LogEntry> entries;
    private final Writer writer;

    private RunLog(Path file, List<LogEntry> entries, Writer writer) {
        this.file = file;
        this.entries = entries;
        this.writer = writer;
    }

    /// Opens a log.
    ///
    /// @param keep entries of later steps are dropped; 0 begins anew
    /// @throws UncheckedIOException if the file cannot be read or written
    public static RunLog open(Path file, int keep) {
        try {
            List<LogEntry> entries = new ArrayList<>();
            if (keep > 0 && Files.exists(file)) {
                read(file, keep, entries);
            }
            byte[] kept = entries.stream()
                    .map(RunLog::line)
                    .collect(Collectors.joining())
                    .getBytes(StandardCharsets.UTF_8);
            AtomicFile.write(file, channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(kept)));
            return new RunLog(file, entries, Files.newBufferedWriter(file, StandardOpenOption.APPEND));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    /// Reads entries until the step that is kept; a line that a killed process left half is the end.
    private static void read(Path file, int keep, List<LogEntry> entries) throws IOException {
        for (String line : Files.readAllLines(file)) {
            try {
                LogEntry entry = JSON.readValue(line, LogEntry.class);
                if (entry.step() > keep) {
                    return;
                }
                entries.add(entry);
            } catch (JacksonException _) {
                return;
            }
        }
    }

    private static String line(LogEntry entry) {
        return JSON.writeValueAsString(entry) + "\n";
    }

    /// Adds an entry.
    public void add(LogEntry entry) {
        entries.add(entry);
        try {
            writer.write(line(entry));
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    /// Returns all entries, those of the run's earlier parts included.
    public List<LogEntry> entries() {
        return List.copyOf(entries);
    }

    @Override
    public void close() {
        try {
            writer.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close " + file + ": " + e.getMessage(), e);
        }
    }
}

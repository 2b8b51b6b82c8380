package dev.mixtral.cli;

import org.jspecify.annotations.Nullable;

/// Where a chat gets its lines and its Ctrl-C from.
interface LineSource extends AutoCloseable {
    /// Shows a prompt and reads a line.
    ///
    /// @return the line, or `null` if there is no more or the user wants to leave
    @Nullable
    String readLine(String prompt);

    /// Sets what Ctrl-C does while no line is being read.
    void onInterrupt(Runnable action);

    @Override
    void close();
}

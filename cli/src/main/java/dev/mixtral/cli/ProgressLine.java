package dev.mixtral.cli;

/// One line that a terminal shows and overwrites while a file is being made; nothing where nobody looks.
final class ProgressLine {
    private static final long INTERVAL_NANOS = 200_000_000;

    private final Terminal terminal;
    private long lastNanos = System.nanoTime() - INTERVAL_NANOS;

    ProgressLine(Terminal terminal) {
        this.terminal = terminal;
    }

    /// Shows a state.
    void show(String what, long done, long total) {
        boolean isLast = done >= total;
        boolean isDue = isLast || System.nanoTime() - lastNanos >= INTERVAL_NANOS;
        if (!terminal.errorIsTerminal() || !isDue) {
            return;
        }
        lastNanos = System.nanoTime();
        // Carriage return, then "erase to the end of the line" of ANSI X3.64.
        terminal.err().print("\r\u001b[K");
        if (!isLast) {
            terminal.err().print(100 * done / total + " %  " + Sizes.bytes(done) + "  " + what);
        }
        terminal.err().flush();
    }
}

package dev.mixtral.cli;

import java.io.IOException;
import java.io.PrintStream;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/// Lines that a person types at a terminal, with editing and a history of this session.
final class JLineSource implements LineSource {
    private final org.jline.terminal.Terminal terminal;
    private final LineReader reader;
    private final PrintStream err;

    /// @param err for the hint how to leave
    JLineSource(PrintStream err) throws IOException {
        this.err = err;
        this.terminal = TerminalBuilder.builder()
                .system(true)
                .nativeSignals(true)
                .dumb(true) // where the terminal is too unusual to edit lines on, plain lines will do
                .build();
        this.reader = LineReaderBuilder.builder()
                .terminal(terminal)
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // an exclamation mark is just that
                .build();
    }

    @Override
    public @Nullable String readLine(String prompt) {
        boolean interrupted = false;
        while (true) {
            try {
                return reader.readLine(prompt);
            } catch (UserInterruptException e) {
                if (interrupted) {
                    return null;
                }
                interrupted = e.getPartialLine().isEmpty();
                if (interrupted) {
                    err.println("Ctrl-C again, Ctrl-D or /exit leaves.");
                }
            } catch (EndOfFileException _) {
                return null;
            }
        }
    }

    @Override
    public void onInterrupt(Runnable action) {
        terminal.handle(Signal.INT, _ -> action.run());
    }

    @Override
    public void close() {
        try {
            terminal.close();
        } catch (IOException e) {
            err.println("the terminal could not be restored: " + e.getMessage());
        }
    }
}

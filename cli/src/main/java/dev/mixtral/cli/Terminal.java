package dev.mixtral.cli;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// What a command is connected to: the standard streams, whether people sit at their ends, and the program's home.
///
/// Commands get one in their constructor and never touch [System#out], so tests run them in-process. Text is UTF-8
/// whatever the locale says: JSONL and model output know no other encoding.
///
/// @param in standard input
/// @param out results; buffered, so whoever streams must flush
/// @param err everything that is not a result
/// @param inputIsTerminal whether a person types the input
/// @param errorIsTerminal whether a person sees `err`, so that progress may be drawn there
/// @param home the folder that holds `models/`: the root of a clone or of an installation
/// @param debug whether failures show their stack trace
record Terminal(
        InputStream in,
        PrintStream out,
        PrintStream err,
        boolean inputIsTerminal,
        boolean errorIsTerminal,
        Path home,
        boolean debug) {

    /// Returns the streams of this process. The launcher tells in system properties what they are connected to,
    /// because the JDK only knows whether all of them are terminals.
    static Terminal ofProcess() {
        return new Terminal(
                new BufferedInputStream(new FileInputStream(FileDescriptor.in)),
                utf8(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16)),
                utf8(new FileOutputStream(FileDescriptor.err)),
                Boolean.getBoolean("mixtral.stdin.tty"),
                Boolean.getBoolean("mixtral.stderr.tty"),
                Path.of(System.getProperty("mixtral.home", ".")),
                System.getenv("MIXTRAL_DEBUG") != null);
    }

    /// Wraps a stream so that text goes into it as UTF-8.
    static PrintStream utf8(OutputStream stream) {
        return new PrintStream(stream, false, StandardCharsets.UTF_8);
    }

    /// Hands everything written so far to the operating system.
    void flush() {
        out.flush();
        err.flush();
    }
}

package dev.mixtral.kernel.nativecode;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Loads the shared library that lies among this package's resources.
///
/// It is loaded from an anonymous file in memory where the system has those (Linux), so that nothing is written to
/// disk and a temporary folder without permission to execute does not matter; elsewhere from a temporary file.
@SuppressWarnings("restricted") // loading native code is what this class is for
final class NativeLibrary {
    private static final String FILE = "libmixtral_kernels.so";

    private static final Loaded LOADED = load();

    /// The outcome of loading.
    ///
    /// @param lookup the library's symbols, or `null`
    /// @param problem why there are none, or `null`
    private record Loaded(
            @Nullable SymbolLookup lookup, @Nullable String problem) {}

    private NativeLibrary() {}

    /// Returns why the library is not loaded, or empty if it is.
    static Optional<String> problem() {
        return Optional.ofNullable(LOADED.problem());
    }

    /// Returns the library's symbols.
    ///
    /// @throws IllegalStateException if it is not loaded
    static SymbolLookup symbols() {
        if (LOADED.lookup() == null) {
            throw new IllegalStateException(LOADED.problem());
        }
        return LOADED.lookup();
    }

    /// Loads the library; it stays loaded as long as the JVM lives.
    private static Loaded load() {
        if (!NativeLibrary.class.getModule().isNativeAccessEnabled()) {
            return new Loaded(null, "native access is not enabled; start Java with --enable-native-access=ALL-UNNAMED");
        }
        String platform = platform();
        try (InputStream library = NativeLibrary.class.getResourceAsStream(platform + "/" + FILE)) {
            if (library == null) {
                return new Loaded(
                        null,
                        "this build has none for " + platform
                                + "; install a C compiler (Debian: apt install gcc libc6-dev) and build again");
            }
            return new Loaded(open(library.readAllBytes()), null);
        } catch (IOException | IllegalArgumentException e) {
            return new Loaded(null, "the library could not be loaded: " + e.getMessage());
        }
    }

    private static String platform() {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return os + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }

    private static SymbolLookup open(byte[] library) throws IOException {
        int descriptor = memoryFile();
        if (descriptor >= 0) {
            Path file = Path.of("/proc/self/fd/" + descriptor);
            Files.write(file, library);
            // By name: the lookup by path resolves links, and this one leads nowhere else.
            return SymbolLookup.libraryLookup(file.toString(), Arena.global());
        }
        Path file = Files.createTempFile("mixtral", FILE);
        try {
            Files.write(file, library);
            return SymbolLookup.libraryLookup(file, Arena.global());
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /// Returns the descriptor of a new file in memory, or -1.
    private static int memoryFile() {
        Linker linker = Linker.nativeLinker();
        MemorySegment function = linker.defaultLookup().find("memfd_create").orElse(MemorySegment.NULL);
        if (function.equals(MemorySegment.NULL)) {
            return -1;
        }
        MethodHandle create = linker.downcallHandle(
                function, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            return (int) create.invokeExact(arena.allocateFrom(FILE), 0);
        } catch (Throwable e) {
            throw new IllegalStateException("memfd_create failed", e);
        }
    }
}

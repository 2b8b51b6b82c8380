package dev.mixtral.train.finetune;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// How much memory a run may take.
final class AvailableMemory {
    private static final Path MEMORY_INFO = Path.of("/proc/meminfo");

    private AvailableMemory() {}

    /// Returns the bytes of the setting, or what the machine can give without swapping.
    ///
    /// @param gib the setting; 0 for what there is
    static long bytes(double gib) {
        return gib > 0 ? (long) (gib * (1L << 30)) : ofMachine();
    }

    private static long ofMachine() {
        try {
            List<String> lines = Files.exists(MEMORY_INFO) ? Files.readAllLines(MEMORY_INFO) : List.of();
            for (String line : lines) {
                if (line.startsWith("MemAvailable:")) {
                    return 1024 * Long.parseLong(line.replaceAll("\\D+", ""));
                }
            }
        } catch (IOException | NumberFormatException _) {
            // Told by the JVM below, a little less exactly.
        }
        var system = ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
        return system == null ? Long.MAX_VALUE : system.getTotalMemorySize() / 4 * 3;
    }
}

package dev.mixtral.cli;

import java.util.Locale;

/// Numbers for people.
final class Sizes {
    private static final String[] BYTE_UNITS = {"KiB", "MiB", "GiB", "TiB"};
    private static final String[] COUNT_UNITS = {"K", "M", "B", "T"};

    private Sizes() {}

    /// Returns a number of bytes such as `26.4 GiB`.
    static String bytes(long bytes) {
        return bytes < 1024 ? bytes + " bytes" : scaled((double) bytes, 1024, BYTE_UNITS);
    }

    /// Returns a count such as `46.70 B`.
    static String count(long count) {
        return count < 1000 ? Long.toString(count) : scaled((double) count, 1000, COUNT_UNITS);
    }

    private static String scaled(double value, int base, String[] units) {
        int unit = -1;
        double scaled = value;
        while (scaled >= base && unit < units.length - 1) {
            scaled /= base;
            unit++;
        }
        return String.format(Locale.ROOT, scaled < 100 ? "%.2f %s" : "%.1f %s", scaled, units[unit]);
    }
}

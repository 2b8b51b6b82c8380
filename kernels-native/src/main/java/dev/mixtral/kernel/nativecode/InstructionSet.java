package dev.mixtral.kernel.nativecode;

import java.util.Locale;

/// An instruction set that the C kernels are compiled for, slowest first.
enum InstructionSet {
    /// AVX2 with FMA and F16C.
    AVX2(1),
    /// AVX-512 F, BW, VL, DQ and VNNI.
    AVX512(2),
    /// AMX with 8-bit integers, beside AVX-512.
    AMX(3),
    /// NEON with dot products.
    NEON(4);

    private final int number;

    InstructionSet(int number) {
        this.number = number;
    }

    /// Returns the number that the C code knows it by.
    int number() {
        return number;
    }

    /// Returns the name after `native:`.
    String variant() {
        return name().toLowerCase(Locale.ROOT);
    }
}

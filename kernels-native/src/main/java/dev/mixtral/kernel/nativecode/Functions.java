package dev.mixtral.kernel.nativecode;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Handles of the C functions, constant so that calls compile to a jump. Only touched where [NativeLibrary] has them.
///
/// Calls that compute are *critical*: they take arrays of the heap without a copy, and hold up the garbage collector
/// while they run, which is a task's length: tens to hundreds of microseconds, and some milliseconds for a tile of rows
/// that attends to tens of thousands of positions.
@SuppressWarnings("restricted") // calling native code is what this class is for
final class Functions {
    /// `int mx_instruction_sets(void)`.
    static final MethodHandle INSTRUCTION_SETS = handle("mx_instruction_sets", FunctionDescriptor.of(JAVA_INT));

    /// `void *mx_allocate(int64 bytes)`.
    static final MethodHandle ALLOCATE = handle("mx_allocate", FunctionDescriptor.of(ADDRESS, JAVA_LONG));

    /// `void mx_release(void *memory, int64 bytes)`.
    static final MethodHandle RELEASE = handle("mx_release", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG));

    /// `void mx_quantize(isa, x, x_at, cols, codes, codes_at, meta, meta_at)`.
    static final MethodHandle QUANTIZE =
            critical("mx_quantize", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG);

    /// `void mx_matmul(isa, type, w, rows, cols, codes, codes_stride, meta, meta_stride, from, tokens, out, out_at,
    /// out_stride)`.
    static final MethodHandle MATMUL = critical(
            "mx_matmul",
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG);

    /// `void mx_gate_up(isa, type, w, first_run, runs, cols, codes, codes_stride, meta, meta_stride, from, tokens,
    /// hidden_codes, hidden_codes_stride, hidden_meta, hidden_meta_stride)`.
    static final MethodHandle GATE_UP = critical(
            "mx_gate_up",
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG);

    /// `void mx_attention(isa, kv_type, q, q_at, q_stride, rows, heads, head_dim, blocks, keys_at, values_at,
    /// positions, from_chunk, to_chunk, scale, out, out_at, out_stride)`.
    static final MethodHandle ATTENTION = critical(
            "mx_attention",
            JAVA_INT,
            JAVA_INT,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_FLOAT,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG);

    private Functions() {}

    private static MethodHandle critical(String name, MemoryLayout... arguments) {
        return handle(name, FunctionDescriptor.ofVoid(arguments), Linker.Option.critical(true));
    }

    private static MethodHandle handle(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        MemorySegment function = NativeLibrary.symbols().findOrThrow(name);
        return Linker.nativeLinker().downcallHandle(function, descriptor, options);
    }
}

package dev.mixtral.benchmarks;

import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.Scratch;
import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// An operation of [Kernels], on one thread.
///
/// Two forks: code that is compiled otherwise in another JVM shows as their difference. Warm-up is three times two
/// seconds: C2 needs a second or more for kernels whose loops are unrolled over vectors, and memory has to be touched.
@State(Scope.Thread)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public abstract class KernelBenchmark {
    /// Name of the kernels, as `--kernels` takes it: `scalar` and `native:avx2` are others.
    @Param({"native", "vector"})
    public String kernels = "";

    private final Arena arena = Arena.ofShared();
    private final Scratch scratch = new Scratch();
    private Kernels chosen = KernelSelector.select("scalar").kernels();

    /// Chooses the kernels and makes the operands.
    @Setup
    public void setUp() {
        chosen = KernelSelector.select(kernels).kernels();
        makeOperands(chosen, arena);
    }

    /// Lets go of the operands.
    @TearDown(Level.Trial)
    public void tearDown() {
        arena.close();
    }

    /// Makes the operands, with the parameters set.
    ///
    /// @param arena owns their memory
    abstract void makeOperands(Kernels kernels, Arena arena);

    final Kernels kernels() {
        return chosen;
    }

    final Scratch scratch() {
        return scratch;
    }
}

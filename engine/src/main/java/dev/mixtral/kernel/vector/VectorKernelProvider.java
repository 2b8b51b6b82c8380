package dev.mixtral.kernel.vector;

import dev.mixtral.kernel.KernelProvider;
import dev.mixtral.kernel.Kernels;
import java.util.Optional;

/// Offers [VectorKernels] where the Vector API is present. Refers to no class of the incubator itself, so that it
/// loads where the module is missing.
public final class VectorKernelProvider implements KernelProvider {
    /// Used by [java.util.ServiceLoader].
    public VectorKernelProvider() {}

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public int rank() {
        return 10;
    }

    @Override
    public Optional<String> unavailable() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? Optional.empty()
                : Optional.of("the Vector API is not in this JVM; start it with --add-modules jdk.incubator.vector");
    }

    @Override
    public Kernels kernels(Kernels others) {
        return new VectorKernels();
    }
}

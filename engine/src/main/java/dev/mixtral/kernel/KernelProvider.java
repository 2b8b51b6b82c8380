package dev.mixtral.kernel;

import java.util.Optional;

/// A source of kernels, found by [java.util.ServiceLoader].
public interface KernelProvider {
    /// Returns the name that `--kernels` takes.
    String name();

    /// Returns the order of preference: the highest available rank is chosen.
    int rank();

    /// Returns why the kernels cannot run here and what would help, or empty if they can.
    Optional<String> unavailable();

    /// Returns the kernels; called only where [#unavailable()] is empty.
    Kernels kernels();
}

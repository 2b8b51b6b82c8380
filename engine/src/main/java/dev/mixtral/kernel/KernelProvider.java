package dev.mixtral.kernel;

import dev.mixtral.error.KernelUnavailableException;
import java.util.List;
import java.util.Optional;

/// A source of kernels, found by [java.util.ServiceLoader].
public interface KernelProvider {
    /// Returns the name that `--kernels` takes.
    String name();

    /// Returns the order of preference: the highest available rank is chosen.
    int rank();

    /// Returns why the kernels cannot run here and what would help, or empty if they can.
    Optional<String> unavailable();

    /// Returns the names that `--kernels` takes behind this provider's name and a colon; usually none.
    default List<String> variants() {
        return List.of();
    }

    /// Returns the kernels; called only where [#unavailable()] is empty.
    ///
    /// @param others the best kernels of lower rank, for operations that this provider leaves to them
    Kernels kernels(Kernels others);

    /// Returns a variant of the kernels, one of [#variants()].
    ///
    /// @throws KernelUnavailableException if it cannot run here
    default Kernels kernels(String variant, Kernels others) {
        throw new KernelUnavailableException("the " + name() + " kernels have no variant '" + variant + "'");
    }
}

package dev.mixtral.error;

/// The kernels that were asked for by name cannot run here.
public final class KernelUnavailableException extends MixtralException {
    private static final long serialVersionUID = 1L;

    /// @param message which kernels, why they cannot run, and the flag or alternative that helps
    public KernelUnavailableException(String message) {
        super(message, null);
    }
}

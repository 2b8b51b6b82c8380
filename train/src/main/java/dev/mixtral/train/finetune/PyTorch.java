package dev.mixtral.train.finetune;

import dev.mixtral.error.UnsupportedModelException;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.bytedeco.pytorch.global.torch;

/// Starts PyTorch's native library.
final class PyTorch {
    private PyTorch() {}

    /// Loads the library and sets how many threads an operation has.
    ///
    /// @throws UnsupportedModelException if there is none for this platform, or it is not on the class path
    static void start(int threads) {
        try {
            // Where workers share the cores already, more threads inside an operation only wait for each other.
            openblas_nolapack.blas_set_num_threads(threads);
            torch.set_num_threads(threads);
        } catch (LinkageError e) {
            throw new UnsupportedModelException("PyTorch's native library cannot be loaded (" + e.getMessage()
                    + "). It exists for Linux and Windows on x86-64 and for macOS; ./mixtral finetune fetches it, a"
                    + " build of your own needs Maven's profile pytorch.");
        }
    }
}

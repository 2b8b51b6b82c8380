package dev.mixtral.format;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/// What becomes of a sliding attention window in a configuration: this program always attends to every position.
final class SlidingWindow {
    private static final Logger LOGGER = System.getLogger(SlidingWindow.class.getName());

    private SlidingWindow() {}

    /// Returns the positions over which full attention is the right computation.
    ///
    /// Mixtral was never trained with a window; its first `config.json` of December 2023 took 4096 over from
    /// Mistral 7B, and quality collapses beyond it, so the window of a mixture is dropped. A dense model with a
    /// window (Mistral 7B v0.1) needs none up to the window's length.
    ///
    /// @param file where the configuration comes from
    /// @param window 0 if there is none
    static int contextLength(String file, int window, int contextLength, boolean dense) {
        if (window <= 0 || window >= contextLength) {
            return contextLength;
        }
        if (dense) {
            LOGGER.log(
                    Level.WARNING,
                    "{0}: the model attends to the last {1} positions only, which is not implemented; its context is cut"
                            + " from {2} to {1} positions, where both are the same",
                    file,
                    Integer.toString(window),
                    Integer.toString(contextLength));
            return window;
        }
        LOGGER.log(
                Level.WARNING,
                "{0}: ignoring the sliding window of {1} positions, with which no Mixtral was trained",
                file,
                Integer.toString(window));
        return contextLength;
    }
}

package dev.mixtral.error;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A model file is broken: truncated, inconsistent, or not of the format that its name claims.
public final class ModelFormatException extends MixtralException {
    private static final long serialVersionUID = 1L;

    private final String file;

    /// @param file the file (or the name of an in-memory source) that is broken
    /// @param problem what is wrong and where: key, tensor or byte offset, expected and got
    public ModelFormatException(String file, String problem) {
        this(file, problem, null);
    }

    /// @param file the file (or the name of an in-memory source) that is broken
    /// @param problem what is wrong and where: key, tensor or byte offset, expected and got
    /// @param cause the parser's own exception, if there is one
    public ModelFormatException(String file, String problem, @Nullable Throwable cause) {
        super(file + ": " + problem + ". The file may be damaged or incomplete: download or convert it again.", cause);
        this.file = file;
    }

    /// Same, for a file on disk.
    public ModelFormatException(Path file, String problem) {
        this(file.toString(), problem, null);
    }

    /// Returns the file (or the name of an in-memory source) that is broken.
    public String file() {
        return file;
    }
}

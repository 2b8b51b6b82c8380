package dev.mixtral.cli;

import java.nio.file.Path;

/// A small model of random weights, made by the program itself, for tests of commands that run one.
final class TestModel {
    /// The end of sequence, which random weights may choose at once.
    static final int EOS_ID = 2;

    private TestModel() {}

    /// Writes a two-layer mixture of experts with a vocabulary of bytes and made-up pieces.
    ///
    /// @return the GGUF file
    static String writeTo(Path folder) {
        Path file = folder.resolve("micro.gguf");
        try (RandomCheckpoint checkpoint = new RandomCheckpoint(RandomSpec.parse("micro:q8_0", 0), true)) {
            RandomGguf.write(checkpoint, file);
        }
        return file.toString();
    }
}

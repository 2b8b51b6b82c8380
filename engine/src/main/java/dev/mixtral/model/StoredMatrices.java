package dev.mixtral.model;

import dev.mixtral.format.Checkpoint;

/// Matrices as their checkpoint stores them, in its memory.
record StoredMatrices(Checkpoint checkpoint) implements MatrixSource {
    @Override
    public Linear.Plain linear(String name) {
        return new Linear.Plain(checkpoint.tensor(name));
    }

    @Override
    public Expert.Plain expert(String prefix) {
        return new Expert.Plain(
                checkpoint.tensor(prefix + "w1"), linear(prefix + "w2"), checkpoint.tensor(prefix + "w3"));
    }
}

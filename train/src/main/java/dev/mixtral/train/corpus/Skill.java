package dev.mixtral.train.corpus;

/// Something the model learns to do: an endless source of examples of it. Implementations are immutable.
interface Skill {
    /// Returns the name that examples carry, in kebab case.
    String name();

    /// Writes one example; all chance comes from `rng`.
    Example draw(Rng rng);
}

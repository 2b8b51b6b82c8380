package dev.mixtral.format;

/// What a configuration file says.
///
/// @param tied whether the output matrix is the embedding
record Architecture(MixtralConfig config, boolean tied) {}

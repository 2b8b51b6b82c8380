package dev.mixtral.server.wire;

import dev.mixtral.server.Dialect;

/// What a request is checked against besides itself. Immutable.
///
/// @param dialect the client's dialect
/// @param vocabSize token ids of the model
/// @param defaultTemperature where the request names none
/// @param maxChoices largest `n`
public record RequestRules(Dialect dialect, int vocabSize, double defaultTemperature, int maxChoices) {}

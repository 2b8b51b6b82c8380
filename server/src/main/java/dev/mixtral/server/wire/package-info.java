/// The wire forms: requests read and checked, answers and errors written, in the three dialects.
///
/// Knows JSON and the engine's value types, and neither runs a model nor sends anything. May use
/// `dev.mixtral.server`. Entry classes: [dev.mixtral.server.wire.ChatRequestReader],
/// [dev.mixtral.server.wire.ChatWriter], [dev.mixtral.server.wire.ApiError].
@NullMarked
package dev.mixtral.server.wire;

import org.jspecify.annotations.NullMarked;

/// Everything that can go wrong, as one sealed tree of unchecked exceptions that carry data, and how messages quote
/// input.
///
/// Depends on the JDK only. Entry class: [dev.mixtral.error.MixtralException].
@NullMarked
package dev.mixtral.error;

import org.jspecify.annotations.NullMarked;

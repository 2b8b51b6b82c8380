/// The specification: every kernel as plain loops.
@NullMarked
package dev.mixtral.kernel.scalar;

import org.jspecify.annotations.NullMarked;

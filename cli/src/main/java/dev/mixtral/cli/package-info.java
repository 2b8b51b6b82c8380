/// Placeholder of the cli module.
@NullMarked
package dev.mixtral.cli;

import org.jspecify.annotations.NullMarked;

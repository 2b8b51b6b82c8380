/// Placeholder of the train module.
@NullMarked
package dev.mixtral.train;

import org.jspecify.annotations.NullMarked;

/// Placeholder of the jinja module.
@NullMarked
package dev.mixtral.jinja;

import org.jspecify.annotations.NullMarked;

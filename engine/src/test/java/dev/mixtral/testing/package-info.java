/// What several tests share.
@NullMarked
package dev.mixtral.testing;

import org.jspecify.annotations.NullMarked;

/// Memory of keys and values, in blocks of positions.
///
/// May use `tensor` only. Entry class: [dev.mixtral.kvcache.KvCache].
@NullMarked
package dev.mixtral.kvcache;

import org.jspecify.annotations.NullMarked;

/// Keys and values, in blocks of positions: their memory, who uses which block, and which contents are kept for prompts
/// that begin alike (paged attention, arXiv 2309.06180).
///
/// May use `error` and `tensor`. Entry classes: [dev.mixtral.kvcache.KvCache], what a forward pass sees of one
/// sequence; [dev.mixtral.kvcache.BlockPool], numbers only.
@NullMarked
package dev.mixtral.kvcache;

import org.jspecify.annotations.NullMarked;

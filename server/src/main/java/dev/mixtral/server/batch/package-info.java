/// Files of many requests: run through the same endpoints as everybody's, in their own time, and resumable at any
/// moment, as what is done is on disk before it counts.
///
/// May use `dev.mixtral.server`, `wire` and `api`. Entry class: [dev.mixtral.server.batch.BatchFile].
@NullMarked
package dev.mixtral.server.batch;

import org.jspecify.annotations.NullMarked;

/// Benchmarks of single operations, run with `bench/jmh`, and tools of the measurements in `docs`.
@NullMarked
package dev.mixtral.benchmarks;

import org.jspecify.annotations.NullMarked;

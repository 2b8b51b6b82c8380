package dev.mixtral.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// Counts what an operation has moved or computed; JMH reports it per second, beside the operations.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Work {
    /// Bytes of weights, keys and values that were read.
    public long bytes;

    /// Products of a weight and an activation.
    public long macs;
}

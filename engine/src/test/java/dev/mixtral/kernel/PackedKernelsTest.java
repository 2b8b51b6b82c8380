package dev.mixtral.kernel;

import dev.mixtral.tensor.PackedType;
import dev.mixtral.testing.PackedKernelChecks;
import dev.mixtral.testing.Seeds;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The vector kernels on packed weights against the scalar ones. Runs once for each width of vectors.
class PackedKernelsTest {
    private final PackedKernelChecks checks =
            new PackedKernelChecks(KernelSelector.select("vector").kernels());

    @ParameterizedTest
    @EnumSource
    void matmulAgreesBitForBit(PackedType type) {
        checks.matmul(type, Seeds.random("packed matmul " + type));
    }

    @ParameterizedTest
    @EnumSource
    void extremesAgree(PackedType type) {
        checks.extremes(type, Seeds.random("packed extremes " + type));
    }

    @ParameterizedTest
    @EnumSource
    void specialScalesAgree(PackedType type) {
        checks.specialScales(type, Seeds.random("packed scales " + type));
    }

    @ParameterizedTest
    @EnumSource
    void aTokenAloneAndInABatchAgree(PackedType type) {
        checks.batchInvariance(type, Seeds.random("packed batches " + type));
    }

    @ParameterizedTest
    @EnumSource
    void gateUpAgreesBitForBit(PackedType type) {
        checks.gateUp(type, Seeds.random("packed gateUp " + type));
    }

    @Test
    void quantizeAgreesBitForBit() {
        checks.quantize(Seeds.random("quantize"));
    }

    @Test
    void activateAgreesBitForBit() {
        checks.activate(Seeds.random("activate"));
    }

    @Test
    void addLowRankAgreesBitForBit() {
        checks.addLowRank(Seeds.random("addLowRank"));
    }
}

package dev.mixtral.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Objects;

/// Compares adapters by what they do.
final class SameAdapter {
    private SameAdapter() {}

    /// Asserts that two adapters change the same matrices by the same amounts.
    static void assertSame(LoraAdapter actual, LoraAdapter expected) {
        assertThat(actual.modules().keySet())
                .containsExactlyInAnyOrderElementsOf(expected.modules().keySet());
        expected.modules().forEach((module, weights) -> {
            LoraWeights other = module(actual, module);
            assertThat(product(other, actual.config().scaling()))
                    .describedAs(module)
                    .containsExactly(product(weights, expected.config().scaling()), within(1e-6f));
            assertThat(other.magnitude()).describedAs(module).isEqualTo(weights.magnitude());
        });
    }

    /// Returns a module, which must be there.
    static LoraWeights module(LoraAdapter adapter, String name) {
        return Objects.requireNonNull(adapter.modules().get(name), name);
    }

    /// Returns `scaling · B · A`.
    static float[] product(LoraWeights weights, float scaling) {
        float[] product = new float[weights.out() * weights.in()];
        for (int row = 0; row < weights.out(); row++) {
            for (int col = 0; col < weights.in(); col++) {
                double sum = 0;
                for (int k = 0; k < weights.rank(); k++) {
                    sum += (double) weights.b()[row * weights.rank() + k] * weights.a()[k * weights.in() + col];
                }
                product[row * weights.in() + col] = (float) (scaling * sum);
            }
        }
        return product;
    }
}

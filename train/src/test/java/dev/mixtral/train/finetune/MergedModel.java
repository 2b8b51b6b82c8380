package dev.mixtral.train.finetune;

import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraWeights;
import dev.mixtral.train.Parameters;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/// Adapters merged into weights, row by row in plain Java: written without the code that training uses.
final class MergedModel {
    private MergedModel() {}

    /// Changes weights to `W + scaling B A`, with rows brought to their magnitudes if there are any.
    static void merge(Parameters parameters, LoraAdapter adapter) {
        Map<String, Tensor> published = parameters.published();
        adapter.modules().forEach((name, module) -> {
            try (var _ = new PointerScope();
                    var _ = new NoGradGuard()) {
                Tensor weight = Objects.requireNonNull(published.get(name + ".weight"), name);
                float[] values = Parameters.toArray(weight);
                for (int row = 0; row < module.out(); row++) {
                    mergeRow(values, module, row, adapter.config().scaling());
                }
                weight.copy_(Tensor.create(values).reshape(weight.sizes()));
            }
        });
    }

    private static void mergeRow(float[] values, LoraWeights module, int row, float scaling) {
        double squared = 0;
        for (int column = 0; column < module.in(); column++) {
            double delta = 0;
            for (int r = 0; r < module.rank(); r++) {
                delta += (double) module.b()[row * module.rank() + r] * module.a()[r * module.in() + column];
            }
            int at = row * module.in() + column;
            values[at] += (float) (scaling * delta);
            squared += (double) values[at] * values[at];
        }
        float[] magnitude = module.magnitude();
        if (magnitude != null) {
            for (int column = 0; column < module.in(); column++) {
                values[row * module.in() + column] *= (float) (magnitude[row] / Math.sqrt(squared));
            }
        }
    }
}

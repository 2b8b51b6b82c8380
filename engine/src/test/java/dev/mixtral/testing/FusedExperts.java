package dev.mixtral.testing;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.safetensors.SafetensorsWriter.Entry;
import dev.mixtral.tensor.DType;
import dev.mixtral.testing.TestModels.TestModel;
import java.util.ArrayList;
import java.util.List;

/// Rearranges experts as transformers 5 saves them without its original format.
public final class FusedExperts {
    private FusedExperts() {}

    /// Returns the tensors with experts fused.
    public static List<Entry> fuse(TestModel model, List<Entry> entries) {
        List<Entry> fused = new ArrayList<>();
        for (Entry entry : entries) {
            if (entry.name().contains(".gate.weight")) {
                String name = entry.name().replace("block_sparse_moe", "mlp");
                fused.add(new Entry(name, entry.type(), entry.shape(), entry.values()));
            } else if (!entry.name().contains(".experts.")) {
                fused.add(entry);
            }
        }
        for (int l = 0; l < model.config().numLayers(); l++) {
            fused.add(join(model, l, "gate_up_proj", List.of("w1", "w3")));
            fused.add(join(model, l, "down_proj", List.of("w2")));
        }
        return fused;
    }

    private static Entry join(TestModel model, int layer, String name, List<String> matrices) {
        MixtralConfig config = model.config();
        int size = config.ffnDim() * config.dim();
        float[] values = new float[config.numExperts() * matrices.size() * size];
        int position = 0;
        for (int e = 0; e < config.numExperts(); e++) {
            for (String matrix : matrices) {
                String part = "layers." + layer + ".feed_forward.experts." + e + "." + matrix;
                System.arraycopy(model.values(part), 0, values, position, size);
                position += size;
            }
        }
        boolean down = matrices.contains("w2");
        long[] shape = {
            config.numExperts(), down ? config.dim() : 2L * config.ffnDim(), down ? config.ffnDim() : config.dim()
        };
        return new Entry("model.layers." + layer + ".mlp.experts." + name, DType.F32, shape, values);
    }
}

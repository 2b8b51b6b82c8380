package dev.mixtral.lora;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.RopeLayout;
import dev.mixtral.lora.LoraTargets.Target;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An adapter fitted to a model. Immutable.
///
/// @param byWeight what it does to each matrix that it changes, by the matrix's name in
///     [dev.mixtral.format.Checkpoint]
/// @param digest SHA-256 over all of that: equal digests mean equal adapters; not to be modified
public record LoraDeltas(Map<String, LoraDelta> byWeight, byte[] digest) {
    private static final int SHOWN_MISFITS = 5;

    /// Fits an adapter to a model.
    ///
    /// @param layout the order of the rows of the model's `wq` and `wk`
    /// @throws InvalidRequestException if the adapter is not one of this model: names what does not fit
    public static LoraDeltas fit(LoraAdapter adapter, MixtralConfig config, RopeLayout layout) {
        check(adapter, config);
        Map<String, LoraDelta> deltas = new LinkedHashMap<>();
        MessageDigest digest = sha256();
        float scaling = adapter.config().scaling();
        for (Target target : new LoraTargets(config).all()) {
            LoraWeights weights = adapter.modules().get(target.module());
            if (weights != null) {
                LoraDelta delta = fit(weights, layout == RopeLayout.INTERLEAVED ? target.headDim() : 0, scaling);
                deltas.put(target.weight(), delta);
                digest.update((target.weight() + ' ' + delta.rank() + '\n').getBytes(StandardCharsets.UTF_8));
                update(digest, delta.a());
                update(digest, delta.b());
                update(digest, delta.magnitude());
            }
        }
        return new LoraDeltas(Collections.unmodifiableMap(deltas), digest.digest());
    }

    /// Returns what is done to a matrix, or `null` if it stays as it is.
    public @Nullable LoraDelta of(String weight) {
        return byWeight.get(weight);
    }

    /// @param headDim width of the heads whose rows change their order; 0 if they do not
    private static LoraDelta fit(LoraWeights weights, int headDim, float scaling) {
        int rank = weights.rank();
        float[] b = new float[weights.b().length];
        float[] magnitude = weights.magnitude() == null ? null : new float[weights.out()];
        for (int row = 0; row < weights.out(); row++) {
            int from = headDim == 0 ? row : LoraTargets.halfSplitRow(row, headDim);
            for (int k = 0; k < rank; k++) {
                b[row * rank + k] = scaling * weights.b()[from * rank + k];
            }
            if (magnitude != null && weights.magnitude() != null) {
                magnitude[row] = weights.magnitude()[from];
            }
        }
        return new LoraDelta(rank, weights.in(), weights.out(), weights.a(), b, magnitude);
    }

    /// Refuses an adapter of another model.
    ///
    /// @throws InvalidRequestException naming what does not fit
    static void check(LoraAdapter adapter, MixtralConfig config) {
        LoraTargets targets = new LoraTargets(config);
        List<String> misfits = new ArrayList<>();
        adapter.modules().forEach((module, weights) -> {
            Target target = targets.ofModule(module);
            if (target == null) {
                misfits.add(module + ": the model has no such matrix");
            } else if (weights.in() != target.in() || weights.out() != target.out()) {
                misfits.add(module + ": [" + target.out() + ", " + target.in() + "] expected, got [" + weights.out()
                        + ", " + weights.in() + "]");
            }
        });
        if (adapter.modules().isEmpty()) {
            misfits.add("it changes no matrix");
        }
        if (!misfits.isEmpty()) {
            String base = adapter.config().baseModel();
            throw new InvalidRequestException(
                    "adapter",
                    "The adapter" + (base.isEmpty() ? "" : ", which was trained on " + base + ",")
                            + " does not fit the model (" + config.numLayers() + " layers, width " + config.dim() + ", "
                            + config.numExperts() + " experts): "
                            + String.join(
                                    "; ", misfits.stream().limit(SHOWN_MISFITS).toList())
                            + (misfits.size() > SHOWN_MISFITS
                                    ? "; and " + (misfits.size() - SHOWN_MISFITS) + " more"
                                    : "")
                            + ". Use it with the model that it was trained on.");
        }
    }

    private static void update(MessageDigest digest, float @Nullable [] values) {
        if (values == null) {
            return;
        }
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
        for (int from = 0; from < values.length; from += bytes.capacity() / Float.BYTES) {
            int count = Math.min(bytes.capacity() / Float.BYTES, values.length - from);
            bytes.clear();
            bytes.asFloatBuffer().put(values, from, count);
            digest.update(bytes.array(), 0, count * Float.BYTES);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}

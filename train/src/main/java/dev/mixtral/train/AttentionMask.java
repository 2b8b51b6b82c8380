package dev.mixtral.train;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Which positions of a row see each other, where a row holds several examples: each sees its own only.
final class AttentionMask {
    private AttentionMask() {}

    /// Returns `[rows, 1, length, length]` to be added to attention scores, or `null` if every position sees all
    /// before it.
    static @Nullable Tensor of(Batch batch) {
        int[] starts = batch.starts();
        if (starts == null || Arrays.stream(starts).allMatch(start -> start == 0)) {
            return null;
        }
        int length = batch.length();
        float[] mask = new float[Math.multiplyExact(batch.rows(), Math.multiplyExact(length, length))];
        for (int at = 0; at < starts.length; at++) {
            int query = at % length;
            for (int key = 0; key < length; key++) {
                boolean visible = key <= query && key >= starts[at];
                mask[at * length + key] = visible ? 0 : Float.NEGATIVE_INFINITY;
            }
        }
        return Tensor.create(mask).reshape(batch.rows(), 1, length, length);
    }
}

package dev.mixtral.model;

import dev.mixtral.format.MixtralConfig;
import dev.mixtral.format.RopeLayout;
import dev.mixtral.tensor.FloatMatrix;

/// Rotary position embedding (RoFormer, arXiv 2104.09864): turns pairs of elements of each head by an angle that
/// grows with the position, `θ_i = ropeTheta^(-2i / headDim)`.
///
/// Angles are computed in double precision for each row of a batch once, and used in all layers. Confined to the
/// thread that runs the forward pass.
final class Rope {
    private final int headDim;
    private final RopeLayout layout;
    private final double[] frequencies;
    private float[] cos = new float[0];
    private float[] sin = new float[0];

    Rope(MixtralConfig config, RopeLayout layout) {
        this.headDim = config.headDim();
        this.layout = layout;
        this.frequencies = new double[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(config.ropeTheta(), -2.0 * i / headDim);
        }
    }

    /// Computes the angles of a batch.
    void prepare(Batch batch) {
        int pairs = frequencies.length;
        if (cos.length < batch.size() * pairs) {
            cos = new float[batch.size() * pairs];
            sin = new float[batch.size() * pairs];
        }
        for (int row = 0; row < batch.size(); row++) {
            for (int i = 0; i < pairs; i++) {
                double angle = batch.positions()[row] * frequencies[i];
                cos[row * pairs + i] = (float) Math.cos(angle);
                sin[row * pairs + i] = (float) Math.sin(angle);
            }
        }
    }

    /// Rotates all heads of a row in place.
    ///
    /// @param heads `[T, n * headDim]`
    void rotate(FloatMatrix heads, int row) {
        boolean interleaved = layout == RopeLayout.INTERLEAVED;
        int pairs = frequencies.length;
        float[] x = heads.data();
        for (int at = heads.offset(row); at < heads.offset(row + 1); at += headDim) {
            for (int i = 0; i < pairs; i++) {
                int first = interleaved ? at + 2 * i : at + i;
                int second = interleaved ? first + 1 : first + pairs;
                float c = cos[row * pairs + i];
                float s = sin[row * pairs + i];
                float a = x[first];
                float b = x[second];
                x[first] = a * c - b * s;
                x[second] = a * s + b * c;
            }
        }
    }
}

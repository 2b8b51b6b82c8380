package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PackerTest {
    private static final int BOS = 1;
    private static final int EOS = 2;

    private int next = 3;

    @Test
    void shiftsTargetsByOne() {
        Batch batch = packer(10).pack(4, 64);
        for (int row = 0; row < 4; row++) {
            for (int i = 0; i + 1 < 64; i++) {
                assertThat(batch.targets()[row * 64 + i]).isEqualTo(batch.inputs()[row * 64 + i + 1]);
            }
        }
    }

    @Test
    void keepsExamplesWholeAndStartsEveryRowWithOne() {
        Batch batch = packer(10).pack(8, 64);
        for (int row = 0; row < 8; row++) {
            assertThat(batch.inputs()[row * 64]).isEqualTo(BOS);
            // 65 tokens hold at least six examples of ten, ten of nine at most (BOS left out), the rest is padding.
            long ends = 0;
            for (int i = 0; i < 64; i++) {
                ends += batch.targets()[row * 64 + i] == EOS && batch.weights()[row * 64 + i] == 1 ? 1 : 0;
            }
            assertThat(ends).isBetween(6L, 7L);
        }
    }

    @Test
    void givesPaddingAndBosNoWeight() {
        Batch batch = packer(10).pack(8, 64);
        for (int i = 0; i < batch.numTokens(); i++) {
            if (batch.targets()[i] == BOS) {
                assertThat(batch.weights()[i]).isZero();
            }
        }
        assertThat(batch.counted().positions().length).isLessThan(batch.numTokens());
        assertThat(batch.weights()).containsOnly(0f, 1f);
    }

    @Test
    void leavesOutWhatFitsInNoRow() {
        Batch batch = packer(100).pack(2, 64);
        assertThat(batch.totalWeight()).isZero();
    }

    @Test
    void keepsTheExpectedWeightOfThinnedTokens() {
        Packer packer = new Packer(
                () -> new Segment(new int[] {BOS, 5, 6, EOS}, new float[] {0, 0.1f, 0.1f, 1}, false),
                new SplittableRandom(1),
                EOS);
        Batch batch = packer.pack(200, 400);
        double prompt = batch.totalWeight() - 200 * 100;
        assertThat(prompt / (200 * 200)).isBetween(0.095, 0.105);
    }

    private Packer packer(int length) {
        return new Packer(() -> segment(length), new SplittableRandom(7), EOS);
    }

    private Segment segment(int length) {
        int[] ids = new int[length];
        float[] weights = new float[length];
        for (int i = 1; i < length; i++) {
            ids[i] = next++;
            weights[i] = 1;
        }
        ids[0] = BOS;
        ids[length - 1] = EOS;
        return new Segment(ids, weights, true);
    }
}

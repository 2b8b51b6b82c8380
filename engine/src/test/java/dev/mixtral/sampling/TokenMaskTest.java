package dev.mixtral.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TokenMaskTest {
    private static TokenMask mask(int vocabSize, int... ids) {
        long[] words = new long[(vocabSize + 63) / 64];
        for (int id : ids) {
            words[id >> 6] |= 1L << id;
        }
        return new TokenMask(vocabSize, words);
    }

    @Test
    void tellsItsIdsInOrder() {
        TokenMask mask = mask(130, 129, 0, 64, 5);
        List<Integer> ids = new ArrayList<>();
        mask.forEach(ids::add);
        assertThat(ids).containsExactly(0, 5, 64, 129);
        assertThat(mask.size()).isEqualTo(4);
        assertThat(mask.allows(64)).isTrue();
        assertThat(mask.allows(65)).isFalse();
        assertThat(mask.allows(-1)).isFalse();
        assertThat(mask.allows(130)).isFalse();
    }

    @Test
    void silencesEverythingElse() {
        float[] logits = new float[130];
        mask(130, 3, 128).apply(logits);
        for (int id = 0; id < logits.length; id++) {
            assertThat(logits[id]).isEqualTo(id == 3 || id == 128 ? 0 : Float.NEGATIVE_INFINITY);
        }
    }

    @Test
    void wrongSizeIsRefused() {
        assertThatThrownBy(() -> new TokenMask(65, new long[1])).hasMessageContaining("needs 2 words, got 1");
    }

    @Test
    void samplerStaysInside() {
        float[] logits = {5, 4, 3, 2, 1};
        TokenMask mask = mask(5, 2, 4);
        TokenHistory history = new TokenHistory(new int[0]);
        SamplingParams greedy = SamplingParams.greedy().build();
        assertThat(new Sampler(greedy, 1, 5, new BitSet()).sample(logits, 0, history, mask))
                .isEqualTo(2);
        SamplingParams hot = SamplingParams.greedy()
                .temperature(2)
                .logitBias(Map.of(0, 100f))
                .build();
        Sampler sampler = new Sampler(hot, 1, 5, new BitSet());
        for (int i = 0; i < 200; i++) {
            int id = sampler.sample(logits, 0, history, mask);
            history.append(id);
            assertThat(id).isIn(2, 4);
        }
    }

    @Test
    void whatIsBannedElsewhereStillLeavesAnAnswerInside() {
        BitSet banned = new BitSet();
        banned.set(2);
        banned.set(4);
        int id = new Sampler(SamplingParams.greedy().build(), 1, 5, banned)
                .sample(new float[] {5, 4, 1, 2, 3}, 0, new TokenHistory(new int[0]), mask(5, 2, 4));
        assertThat(id).isEqualTo(4);
    }
}

package dev.mixtral.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.mixtral.error.InvalidRequestException;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {
    /// Probabilities 0.5, 0.25, 0.125, 0.0625, 0.0625.
    private static final float[] HALVES = {log(0.0625), log(0.5), log(0.125), log(0.25), log(0.0625)};

    private static float log(double p) {
        return (float) Math.log(p);
    }

    private static int sample(SamplingParams params, float[] logits, TokenHistory history) {
        return new Sampler(params, 1, logits.length, new BitSet()).sample(logits, 0, history);
    }

    private static TokenHistory empty() {
        return new TokenHistory(new int[0]);
    }

    /// Draws 4,000 times and returns how often each id came.
    private static int[] draws(SamplingParams.Builder builder, float[] logits) {
        Sampler sampler = new Sampler(builder.seed(7L).build(), 0, logits.length, new BitSet());
        int[] counts = new int[logits.length];
        TokenHistory history = empty();
        for (int i = 0; i < 4_000; i++) {
            int id = sampler.sample(logits, 0, history);
            history.append(id);
            counts[id]++;
        }
        return counts;
    }

    private static List<Integer> survivors(SamplingParams.Builder builder) {
        int[] counts = draws(builder, HALVES);
        return IntStream.range(0, counts.length)
                .filter(id -> counts[id] > 0)
                .boxed()
                .toList();
    }

    @Test
    void temperatureZeroTakesTheLowestIdOfTheBest() {
        SamplingParams greedy = SamplingParams.greedy().build();
        assertThat(sample(greedy, new float[] {1, 3, 2, 3}, empty())).isEqualTo(1);
        assertThat(sample(greedy, new float[] {Float.NaN, -1, Float.NEGATIVE_INFINITY, -2}, empty()))
                .isEqualTo(1);
    }

    @Test
    void drawsFollowTheDistribution() {
        int[] counts = draws(SamplingParams.builder(), HALVES);
        assertThat(counts[1] / 4_000.0).isCloseTo(0.5, within(0.03));
        assertThat(counts[3] / 4_000.0).isCloseTo(0.25, within(0.03));
        assertThat(counts[0] / 4_000.0).isCloseTo(0.0625, within(0.02));
    }

    @Test
    void temperatureSharpens() {
        // Squared and renormalised: 0.25 / 0.3515625.
        int[] counts = draws(SamplingParams.builder().temperature(0.5), HALVES);
        double squares = 0.25 + 0.0625 + 0.015625 + 2 * 0.00390625;
        assertThat(counts[1] / 4_000.0).isCloseTo(0.25 / squares, within(0.03));
    }

    @Test
    void truncationKeepsWhatItSays() {
        assertThat(survivors(SamplingParams.builder())).containsExactly(0, 1, 2, 3, 4);
        assertThat(survivors(SamplingParams.builder().topK(2))).containsExactly(1, 3);
        // Ties at the cut go to the lower id.
        assertThat(survivors(SamplingParams.builder().topK(4))).containsExactly(0, 1, 2, 3);
        assertThat(survivors(SamplingParams.builder().topP(0.5))).containsExactly(1);
        assertThat(survivors(SamplingParams.builder().topP(0.51))).containsExactly(1, 3);
        assertThat(survivors(SamplingParams.builder().topP(0))).containsExactly(1);
        // After top-k the first of two has two thirds of the mass.
        assertThat(survivors(SamplingParams.builder().topK(2).topP(0.6))).containsExactly(1);
        assertThat(survivors(SamplingParams.builder().minP(0.2))).containsExactly(1, 2, 3);
        assertThat(survivors(SamplingParams.builder().minP(1))).containsExactly(1);
    }

    @Test
    void typicalKeepsTokensOfExpectedInformation() {
        // Entropy 1.875 bits; information 4, 1, 3, 2, 4 bits: closest are id 3 (2 bits), then id 1 (1 bit).
        assertThat(survivors(SamplingParams.builder().typicalP(0.2))).containsExactly(3);
        assertThat(survivors(SamplingParams.builder().typicalP(0.7))).containsExactly(1, 3);
    }

    @Test
    void penaltiesCountWhatTheySay() {
        TokenHistory history = new TokenHistory(new int[] {0});
        history.append(1);
        history.append(1);
        float[] logits = {4, 4, 3, -1};
        // Repetition: prompt and answer; ids 0 and 1 become 2.
        assertThat(sample(SamplingParams.greedy().repetitionPenalty(2).build(), logits, history))
                .isEqualTo(2);
        // Presence: the answer only; id 1 becomes 3.5, id 0 stays 4.
        assertThat(sample(SamplingParams.greedy().presencePenalty(0.5).build(), logits, history))
                .isEqualTo(0);
        // Frequency: twice; id 1 becomes 2.8.
        assertThat(sample(SamplingParams.greedy().frequencyPenalty(0.6).build(), new float[] {0, 4, 3, -1}, history))
                .isEqualTo(2);
        // Negative logits are multiplied: -1 becomes -2, below -1.5.
        assertThat(sample(
                        SamplingParams.greedy().repetitionPenalty(2).build(), new float[] {-1, -3, -3, -1.5f}, history))
                .isEqualTo(3);
    }

    @Test
    void logitBiasForcesAndBans() {
        float[] logits = {1, 2, 3};
        assertThat(sample(SamplingParams.greedy().logitBias(Map.of(0, 100f)).build(), logits, empty()))
                .isEqualTo(0);
        assertThat(sample(SamplingParams.greedy().logitBias(Map.of(2, -100f)).build(), logits, empty()))
                .isEqualTo(1);
        assertThatThrownBy(() ->
                        sample(SamplingParams.greedy().logitBias(Map.of(3, 1f)).build(), logits, empty()))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("token 3");
    }

    @Test
    void bannedIdsAreNeverChosen() {
        BitSet banned = new BitSet();
        banned.set(2);
        Sampler sampler = new Sampler(SamplingParams.greedy().build(), 0, 3, banned);
        assertThat(sampler.sample(new float[] {1, 2, 3}, 0, empty())).isEqualTo(1);
    }

    @Test
    void aSeedFixesTheDrawsAndPositionsDiffer() {
        assertThat(draws(SamplingParams.builder(), HALVES)).isEqualTo(draws(SamplingParams.builder(), HALVES));
        assertThat(CounterRandom.uniform(42, 0)).isEqualTo(CounterRandom.uniform(42, 0));
        Set<Double> values = new TreeSet<>();
        double sum = 0;
        for (int i = 0; i < 10_000; i++) {
            double value = CounterRandom.uniform(42, i);
            assertThat(value).isBetween(0.0, Math.nextDown(1.0));
            values.add(value);
            sum += value;
        }
        assertThat(values).hasSize(10_000);
        assertThat(sum / 10_000).isCloseTo(0.5, within(0.01));
        assertThat(CounterRandom.uniform(43, 0)).isNotEqualTo(CounterRandom.uniform(42, 0));
    }

    @Test
    void logprobsAreOfTheModelsOwnDistribution() {
        Sampler sampler = new Sampler(SamplingParams.greedy().build(), 0, 5, new BitSet());
        TokenLogprob logprob = sampler.logprob(HALVES, 0, 4, 3);
        assertThat(logprob.logprob()).isCloseTo(Math.log(0.0625), within(1e-6));
        assertThat(logprob.top()).extracting(TokenLogprob.Candidate::id).containsExactly(1, 3, 2);
        assertThat(logprob.top().getFirst().logprob()).isCloseTo(Math.log(0.5), within(1e-6));
    }

    @Test
    void parametersOutOfRangeAreNamed() {
        assertThatThrownBy(() -> SamplingParams.builder().topP(1.5).build())
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage("topP must be between 0 and 1, got 1.5");
        assertThatThrownBy(
                        () -> SamplingParams.builder().temperature(Double.NaN).build())
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage("temperature must be between 0 and 100, got NaN");
    }
}

package dev.mixtral.benchmarks;

import dev.mixtral.sampling.Sampler;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.sampling.TokenHistory;
import java.util.BitSet;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// One token from the logits of a vocabulary of 32,000.
@State(Scope.Thread)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 1)
public class SamplerBenchmark {
    private static final int VOCABULARY = 32_000;

    /// Ways to sample.
    public enum Method {
        /// The most probable token.
        GREEDY,
        /// Temperature and nucleus.
        TOP_P,
        /// The 40 most probable, with a penalty for repetitions.
        TOP_K;

        private SamplingParams params() {
            SamplingParams.Builder params = switch (this) {
                case GREEDY -> SamplingParams.greedy();
                case TOP_P -> SamplingParams.builder().temperature(0.7).topP(0.95);
                case TOP_K -> SamplingParams.builder().temperature(0.7).topK(40).repetitionPenalty(1.1);
            };
            return params.seed(1L).build();
        }
    }

    /// How to sample.
    @Param
    public Method method = Method.GREEDY;

    private final float[] logits = new float[VOCABULARY];
    private final TokenHistory history =
            new TokenHistory(new Random(2).ints(512, 0, VOCABULARY).toArray());
    private Sampler sampler = new Sampler(SamplingParams.greedy().build(), 1, VOCABULARY, new BitSet());

    /// Makes logits as peaked as a model's: a few tokens have most of the mass.
    @Setup
    public void setUp() {
        sampler = new Sampler(method.params(), 1, VOCABULARY, new BitSet());
        Random random = new Random(1);
        for (int i = 0; i < VOCABULARY; i++) {
            logits[i] = (float) (2.5 * random.nextGaussian());
        }
    }

    /// One token.
    @Benchmark
    public int sample() {
        return sampler.sample(logits, 0, history);
    }
}

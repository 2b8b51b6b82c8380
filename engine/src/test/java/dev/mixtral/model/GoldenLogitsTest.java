package dev.mixtral.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.Kernels;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.testing.NpyFile;
import dev.mixtral.testing.SharedData;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The forward pass against logits of an independent implementation in double precision.
class GoldenLogitsTest {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final String FILES = """
            micro/hf-f32-sharded,               micro-F32,       micro_and_tiny-k
            micro/hf-f16,                       micro-F32,       micro_and_tiny-k
            micro/mistral-bf16,                 micro-F32,       micro_and_tiny-k
            micro/micro-F32.gguf,               micro-F32,       micro_and_tiny-k
            micro/micro-F16.gguf,               micro-F32,       micro_and_tiny-k
            micro/micro-BF16.gguf,              micro-F32,       micro_and_tiny-k
            micro/micro-F16-v2-oldexperts.gguf, micro-F32,       micro_and_tiny-k
            micro/micro-F32-align256.gguf,      micro-F32,       micro_and_tiny-k
            micro/micro-Q4_0.gguf,              micro-Q4_0,      micro_and_tiny-k
            micro/micro-Q4_1.gguf,              micro-Q4_1,      micro_and_tiny-k
            micro/micro-Q5_0.gguf,              micro-Q5_0,      micro_and_tiny-k
            micro/micro-Q5_1.gguf,              micro-Q5_1,      micro_and_tiny-k
            micro/micro-Q8_0.gguf,              micro-Q8_0,      micro_and_tiny-k
            micro/micro-IQ4_NL.gguf,            micro-IQ4_NL,    micro_and_tiny-k
            tiny-k/hf-bf16,                     tiny-k-hf-bf16,  micro_and_tiny-k
            tiny-k/tiny-k-Q2_K.gguf,            tiny-k-Q2_K,     micro_and_tiny-k
            tiny-k/tiny-k-Q3_K_M.gguf,          tiny-k-Q3_K_M,   micro_and_tiny-k
            tiny-k/tiny-k-Q4_K_M.gguf,          tiny-k-Q4_K_M,   micro_and_tiny-k
            tiny-k/tiny-k-Q5_K_M.gguf,          tiny-k-Q5_K_M,   micro_and_tiny-k
            tiny-k/tiny-k-Q6_K.gguf,            tiny-k-Q6_K,     micro_and_tiny-k
            tiny-k/tiny-k-IQ4_XS.gguf,          tiny-k-IQ4_XS,   micro_and_tiny-k
            tiny-v32k/hf-bf16,                  tiny-v32k-F32,   tiny-v32k
            tiny-v32k/tiny-v32k-F32.gguf,       tiny-v32k-F32,   tiny-v32k
            """;

    @ParameterizedTest
    @CsvSource(textBlock = FILES)
    void vectorKernelsAgreeWithDoublePrecision(String model, String golden, String prompts) throws IOException {
        assertThat(worstDifference(model, golden, prompts, "vector", KvType.F32))
                .isLessThan(1e-4);
    }

    @ParameterizedTest
    @CsvSource(textBlock = FILES)
    void scalarKernelsAgreeWithDoublePrecision(String model, String golden, String prompts) throws IOException {
        assertThat(worstDifference(model, golden, prompts, "scalar", KvType.F32))
                .isLessThan(1e-4);
    }

    @ParameterizedTest
    @CsvSource(textBlock = FILES)
    void halfPrecisionCacheCostsLittle(String model, String golden, String prompts) throws IOException {
        assertThat(worstDifference(model, golden, prompts, "vector", KvType.F16))
                .isLessThan(1e-2);
    }

    @ParameterizedTest
    @CsvSource(textBlock = FILES)
    void eightBitCacheCostsLittle(String model, String golden, String prompts) throws IOException {
        // The median, for the reason below.
        assertThat(differences(model, golden, prompts, "vector", KvType.Q8_0, true)
                        .median())
                .isLessThan(0.05);
    }

    @ParameterizedTest
    @CsvSource(textBlock = FILES)
    void eightBitActivationsCostLittle(String model, String golden, String prompts) throws IOException {
        // The median: where two experts are all but equal, rounding may choose the other one, and a row differs much.
        assertThat(differences(model, golden, prompts, "vector", KvType.F32, false)
                        .median())
                .isLessThan(0.15);
    }

    private static double worstDifference(String model, String golden, String prompts, String kernels, KvType kvType)
            throws IOException {
        return differences(model, golden, prompts, kernels, kvType, true).max();
    }

    /// The largest absolute difference of any logit in a row.
    ///
    /// @param max over all rows
    /// @param median over all rows
    private record Differences(double max, double median) {}

    /// Compares all logits with the references, and prints the result.
    ///
    /// @param exact whether weights stay as they are stored, or are packed and activations rounded to 8 bits
    private static Differences differences(
            String model, String golden, String prompts, String kernelName, KvType kvType, boolean exact)
            throws IOException {
        NpyFile expected = NpyFile.read(SharedData.file("tiny/golden/" + golden + ".logits.npy"));
        JsonNode rows = read("tiny/golden/report.json").get(golden).get("rows");
        JsonNode ids = read("tiny/golden/prompts.json").get(prompts);
        double[] worst = new double[expected.rows()];
        try (Checkpoint checkpoint = Checkpoints.open(SharedData.file("tiny/" + model));
                ThreadTeam team = new ThreadTeam(2);
                Arena arena = Arena.ofShared()) {
            Kernels kernels = KernelSelector.select(kernelName).kernels();
            MixtralWeights weights = MixtralWeights.prepare(checkpoint, kernels, exact, team, arena);
            Mixtral mixtral = new Mixtral(checkpoint.config(), checkpoint.ropeLayout(), weights, kernels, team);
            int loaded = -1;
            FloatMatrix logits = new FloatMatrix(0, 0);
            for (int r = 0; r < expected.rows(); r++) {
                int prompt = rows.get(r).get(0).intValue();
                if (prompt != loaded) {
                    loaded = prompt;
                    logits = allLogits(mixtral, SharedData.ids(ids.get(prompt)), kvType);
                }
                int position = rows.get(r).get(1).intValue();
                for (int c = 0; c < expected.cols(); c++) {
                    double difference = Math.abs(expected.values()[r * expected.cols() + c] - logits.get(position, c));
                    worst[r] = Math.max(worst[r], difference);
                }
            }
        }
        Arrays.sort(worst);
        double max = worst[worst.length - 1];
        System.out.printf(
                "%s (%s kernels, %s cache%s): logits differ by %.2e at most, median row %.2e%n",
                model, kernelName, kvType, exact ? "" : ", 8-bit activations", max, worst[worst.length / 2]);
        return new Differences(max, worst[worst.length / 2]);
    }

    private static FloatMatrix allLogits(Mixtral mixtral, int[] ids, KvType kvType) {
        var config = mixtral.config();
        var layout = new KvLayout(config.numLayers(), config.numKvHeads(), config.headDim(), kvType);
        try (KvCache cache = new KvCache(layout)) {
            return mixtral.forward(Batch.of(cache, ids, true));
        }
    }

    private static JsonNode read(String name) {
        return MAPPER.readTree(SharedData.file(name).toFile());
    }
}

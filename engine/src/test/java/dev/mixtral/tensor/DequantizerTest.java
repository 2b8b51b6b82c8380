package dev.mixtral.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.testing.SharedData;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

class DequantizerTest {
    /// Types of the golden file that this program does not read.
    private static final Set<String> UNSUPPORTED = Set.of("MXFP4");

    private static final String HALF_ONE = "003c";
    private static final String HALF_TWO = "0040";
    private static final String HALF_MINUS_ONE = "00bc";

    @Test
    void goldenBlocksAreDecodedToTheLastBit() {
        int checked = 0;
        for (JsonNode block : SharedData.lines("golden/quant-blocks.dev.jsonl")) {
            String name = block.get("type").stringValue();
            if (!UNSUPPORTED.contains(name)) {
                float[] expected = floats(block.get("f32_bits_hex_le").stringValue());
                float[] actual = decode(DType.valueOf(name), block.get("hex").stringValue(), expected.length);
                assertThat(bits(actual)).as("%s", block.get("type")).isEqualTo(bits(expected));
                checked++;
            }
        }
        assertThat(checked).isGreaterThanOrEqualTo(50);
    }

    @Test
    void q4_0HasLowNibblesFirst() {
        float[] out = decode(DType.Q4_0, HALF_TWO + "9f" + "08".repeat(15), 32);

        assertThat(out[0]).isEqualTo(2f * (15 - 8));
        assertThat(out[16]).isEqualTo(2f * (9 - 8));
        assertThat(out[1]).isEqualTo(0f);
        assertThat(out[17]).isEqualTo(2f * -8);
    }

    @Test
    void q4_1AddsTheMinimum() {
        float[] out = decode(DType.Q4_1, HALF_TWO + HALF_MINUS_ONE + "9f" + "00".repeat(15), 32);

        assertThat(out[0]).isEqualTo(2f * 15 - 1);
        assertThat(out[16]).isEqualTo(2f * 9 - 1);
        assertThat(out[31]).isEqualTo(-1f);
    }

    @Test
    void q5TakesTheFifthBitOfElementJFromBitJ() {
        String fifthBitsOfElements0And17 = "01000200";

        float[] q5_0 = decode(DType.Q5_0, HALF_ONE + fifthBitsOfElements0And17 + "03".repeat(16), 32);
        assertThat(q5_0[0]).isEqualTo(3f);
        assertThat(q5_0[1]).isEqualTo(3f - 16);
        assertThat(q5_0[17]).isEqualTo(0f);
        assertThat(q5_0[16]).isEqualTo(-16f);

        float[] q5_1 = decode(DType.Q5_1, HALF_ONE + HALF_ONE + fifthBitsOfElements0And17 + "03".repeat(16), 32);
        assertThat(q5_1[0]).isEqualTo(19f + 1);
        assertThat(q5_1[17]).isEqualTo(16f + 1);
        assertThat(q5_1[18]).isEqualTo(1f);
    }

    @Test
    void q8_0IsSigned() {
        float[] out = decode(DType.Q8_0, HALF_TWO + "80" + "7f" + "00".repeat(30), 32);

        assertThat(out).startsWith(-256f, 254f, 0f);
    }

    @Test
    void q2_kHasScaleAndMinimumInOneByte() {
        String scales = "21" + "00".repeat(15);
        float[] out = decode(DType.Q2_K, scales + "03".repeat(64) + HALF_TWO + HALF_ONE, 256);

        assertThat(out[0]).isEqualTo(2f * 1 * 3 - 1f * 2);
        assertThat(out[16]).isEqualTo(0f);
    }

    @Test
    void q3_kSubtractsFourWhereTheHighBitIsClear() {
        String highBits = "01" + "00".repeat(31);
        String scaleZeroIs33 = "01" + "00".repeat(7) + "02" + "00".repeat(3);
        float[] out = decode(DType.Q3_K, highBits + "01".repeat(64) + scaleZeroIs33 + HALF_ONE, 256);

        assertThat(out[0]).isEqualTo(1f);
        assertThat(out[1]).isEqualTo(1f - 4);
    }

    @Test
    void q4_kAndQ5_kSpreadSixBitScalesOverTwelveBytes() {
        // Group 4: scale 5 | 2 << 4, minimum 6 | 3 << 4.
        String scales = "80" + "000000" + "c0" + "000000" + "65" + "000000";

        float[] q4 = decode(DType.Q4_K, HALF_ONE + HALF_ONE + scales + "01".repeat(128), 256);
        assertThat(q4[128]).isEqualTo(37f * 1 - 54);

        String fifthBitOfGroup4 = "10" + "00".repeat(31);
        float[] q5 = decode(DType.Q5_K, HALF_ONE + HALF_ONE + scales + fifthBitOfGroup4 + "01".repeat(128), 256);
        assertThat(q5[128]).isEqualTo(37f * 17 - 54);
        assertThat(q5[129]).isEqualTo(37f * 1 - 54);
    }

    @Test
    void q6_kHasItsScaleLast() {
        String scales = "02" + "00".repeat(15);
        float[] out = decode(DType.Q6_K, "0f".repeat(128) + "03".repeat(64) + scales + HALF_TWO, 256);

        assertThat(out[0]).isEqualTo(2f * 2 * (63 - 32));
        assertThat(out[16]).isEqualTo(0f);
    }

    @Test
    void iq4IndexesANonLinearTable() {
        float[] nl = decode(DType.IQ4_NL, HALF_ONE + "f0" + "88".repeat(15), 32);
        assertThat(nl[0]).isEqualTo(-127f);
        assertThat(nl[16]).isEqualTo(113f);
        assertThat(nl[1]).isEqualTo(1f);

        // Sub-block 1: scale (3 | 2 << 4) - 32 = 3.
        float[] xs = decode(DType.IQ4_XS, HALF_ONE + "0800" + "30000000" + "70".repeat(128), 256);
        assertThat(xs[32]).isEqualTo(3f * -127);
        assertThat(xs[48]).isEqualTo(3f * -10);
        assertThat(xs[0]).isEqualTo(-32f * -127);
    }

    @Test
    void plainTypesKeepSpecialValues() {
        assertThat(decode(DType.F32, "0000807f" + "00000080", 2)).containsExactly(Float.POSITIVE_INFINITY, -0f);
        assertThat(decode(DType.F16, "007c" + "0100", 2)).containsExactly(Float.POSITIVE_INFINITY, 0x1p-24f);
        assertThat(decode(DType.BF16, "80ff" + "c07f", 2)).containsExactly(Float.NEGATIVE_INFINITY, Float.NaN);
    }

    @ParameterizedTest
    @EnumSource
    void writesExactlyTheRangeAskedFor(DType type) {
        MemorySegment data = MemorySegment.ofArray(new byte[3 + 2 * type.blockBytes()]);
        float[] out = new float[2 * type.blockSize() + 2];
        out[0] = 7;
        out[out.length - 1] = 7;

        Dequantizer.dequantize(type, data, 3, out, 1, 2 * type.blockSize());

        assertThat(out[0]).isEqualTo(7);
        assertThat(out[out.length - 1]).isEqualTo(7);
        assertThatThrownBy(() -> Dequantizer.dequantize(type, data, 4, out, 1, 2 * type.blockSize()))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void refusesPartsOfBlocks() {
        MemorySegment data = MemorySegment.ofArray(new byte[18]);
        assertThatThrownBy(() -> Dequantizer.dequantize(DType.Q4_0, data, 0, new float[32], 0, 31))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("multiples of 32");
    }

    private static float[] decode(DType type, String hex, int n) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        assertThat(bytes).hasSize(Math.toIntExact(type.byteSize(n)));
        float[] out = new float[n];
        Dequantizer.dequantize(type, MemorySegment.ofArray(bytes), 0, out, 0, n);
        return out;
    }

    private static float[] floats(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        float[] floats = new float[bytes.length / Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
        return floats;
    }

    private static int[] bits(float[] floats) {
        int[] bits = new int[floats.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(floats[i]);
        }
        return bits;
    }
}

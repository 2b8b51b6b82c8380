package dev.mixtral.format.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.MixtralException;
import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
    private static final int FIRST_KEY = 24;

    @TempDir
    Path folder;

    @Test
    void metadataOfEveryTypeIsReadBack() {
        Map<String, GgufValue> written = new LinkedHashMap<>();
        written.put("u8", new GgufValue.Int(GgufType.UINT8, 200));
        written.put("i8", new GgufValue.Int(GgufType.INT8, 100));
        written.put("u16", new GgufValue.Int(GgufType.UINT16, 65_535));
        written.put("i16", new GgufValue.Int(GgufType.INT16, -1));
        written.put("u32", GgufValue.of(7));
        written.put("i32", new GgufValue.Int(GgufType.INT32, -1));
        written.put("u64", new GgufValue.Int(GgufType.UINT64, -1));
        written.put("i64", new GgufValue.Int(GgufType.INT64, 5));
        written.put("f32", GgufValue.of(1e-5f));
        written.put("f64", new GgufValue.Real(GgufType.FLOAT64, 0.1));
        written.put("bool", GgufValue.of(true));
        written.put("string", GgufValue.of("é"));
        written.put("ints", GgufValue.of(new int[] {1, 2, 3}));
        written.put("floats", GgufValue.of(new float[] {0.5f}));
        written.put("strings", GgufValue.of(List.of(new byte[] {(byte) 0xff}, new byte[0])));

        GgufMetadata metadata = open(write(written)).metadata();

        assertThat(metadata.keys()).containsExactlyElementsOf(written.keySet());
        assertThat(metadata.integer("u8")).hasValue(200);
        assertThat(metadata.integer("i8")).hasValue(100);
        assertThat(metadata.integer("u16")).hasValue(65_535);
        assertThat(metadata.integer("u32")).hasValue(7);
        assertThat(metadata.integer("i64")).hasValue(5);
        assertThat(metadata.number("f32")).hasValue(1e-5f);
        assertThat(metadata.number("f64")).hasValue(0.1);
        assertThat(metadata.bool("bool")).hasValue(true);
        assertThat(metadata.string("string")).hasValue("é");
        assertThat(metadata.integers("ints")).hasValue(new int[] {1, 2, 3});
        assertThat(metadata.floats("floats")).hasValue(new float[] {0.5f});
        assertThat(metadata.strings("strings").orElseThrow()).isDeepEqualTo(new byte[][] {{(byte) 0xff}, {}});
        assertThat(metadata.integer("absent")).isEmpty();
        assertThat(metadata.shown("u64")).hasValue("18446744073709551615");
        assertThat(metadata.shown("strings")).hasValue("[2 × STRING]");
        assertThatThrownBy(() -> metadata.integer("u64")).hasMessageContaining("u64");
        assertThatThrownBy(() -> metadata.integer("i16")).hasMessageContaining("got -1");
        assertThatThrownBy(() -> metadata.integer("string"))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("an integer expected");
        assertThatThrownBy(() -> metadata.floats("ints")).hasMessageContaining("array of REAL");
    }

    @Test
    void tensorsAreReadBackWithDimensionsTurnedRound() {
        float[] values = {1, 2, 3, 4, 5, 6};
        Path file = folder.resolve("t.gguf");
        GgufWriter.write(
                file,
                Map.of(),
                List.of(
                        GgufWriter.Entry.of("a", new long[] {2, 3}, values),
                        GgufWriter.Entry.of("q", DType.Q4_0, new long[] {1, 32}, MemorySegment.ofArray(new byte[18]))));

        try (Arena arena = Arena.ofConfined()) {
            List<Tensor> tensors = GgufFile.open(file, arena).tensors();
            assertThat(tensors.getFirst().shape()).containsExactly(2, 3);
            assertThat(tensors.getFirst().toFloats()).isEqualTo(values);
            assertThat(tensors.getLast().type()).isEqualTo(DType.Q4_0);
        }
    }

    @Test
    void alignmentIsObeyed() throws IOException {
        Path file = write(Map.of("general.alignment", GgufValue.of(256)));
        assertThat(Files.size(file) % 256).isZero();
        assertThat(open(file).tensors()).hasSize(2);

        Path odd = write(Map.of("general.alignment", GgufValue.of(32)));
        patch(odd, indexOf(odd, "general.alignment") + 17 + 4, new byte[] {24, 0, 0, 0});
        assertBroken(odd, "a power of two expected, got 24");
    }

    @ParameterizedTest
    @CsvSource({"1,GGUF version 1", "33554432,big-endian", "50331648,big-endian", "4,GGUF version 4"})
    void otherVersionsAreRefused(int version, String message) throws IOException {
        Path file = write(Map.of());
        patch(file, 4, int32(version));
        assertUnsupported(file, message);
    }

    @Test
    void version2IsReadAsVersion3() throws IOException {
        Path file = write(Map.of("key", GgufValue.of(1)));
        patch(file, 4, int32(2));
        assertThat(open(file).tensors()).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({
        "39,MXFP4 (type 39)",
        "16,IQ2_XXS (type 16)",
        "34,TQ1_0 (type 34)",
        "28,F64 (type 28)",
        "4,removed from ggml",
        "97,which only ik_llama.cpp knows",
        "139,'IQ4_K (type 139), which only ik_llama.cpp knows'",
        "60,unknown (type 60)",
        "-1,unknown (type 4294967295)",
    })
    void otherTensorTypesAreRefusedByName(int type, String message) throws IOException {
        Path file = write(Map.of());
        patch(file, indexOf(file, "aa") + 2 + 4 + 8, int32(type));
        assertUnsupported(file, message);
    }

    @Test
    void countsAreCheckedAgainstTheFile() throws IOException {
        Path file = write(Map.of());
        patch(file, 8, int64(1L << 60));
        assertBroken(file, "number of tensors is 1152921504606846976");

        Path keys = write(Map.of());
        patch(keys, 16, int64(-1));
        assertBroken(keys, "number of key-value pairs is 18446744073709551615");
    }

    @Test
    void lengthsAreCheckedAgainstTheFile() throws IOException {
        Path string = write(Map.of("key", GgufValue.of("value")));
        patch(string, FIRST_KEY + 8 + 3 + 4, int64(Long.MAX_VALUE));
        assertBroken(string, "length of string `key`");

        Path array = write(Map.of("key", GgufValue.of(new int[] {1})));
        patch(array, FIRST_KEY + 8 + 3 + 4 + 4, int64(1 << 30));
        assertBroken(array, "length of array `key`");

        Path name = write(Map.of("key", GgufValue.of(1)));
        patch(name, FIRST_KEY, int64(1 << 30));
        assertBroken(name, "length of key 0");
    }

    @Test
    void valuesMustMakeSense() throws IOException {
        Path nested = write(Map.of("key", GgufValue.of(new int[] {1})));
        patch(nested, FIRST_KEY + 8 + 3 + 4, int32(9));
        assertBroken(nested, "array of arrays");

        Path type = write(Map.of("key", GgufValue.of(1)));
        patch(type, FIRST_KEY + 8 + 3, int32(13));
        assertBroken(type, "unknown value type 13");

        Path bool = write(Map.of("key", GgufValue.of(true)));
        patch(bool, FIRST_KEY + 8 + 3 + 4, new byte[] {2});
        assertBroken(bool, "0 or 1 expected");

        Path utf8 = write(Map.of("key", GgufValue.of(true)));
        patch(utf8, FIRST_KEY + 8, new byte[] {(byte) 0xff});
        assertBroken(utf8, "not valid UTF-8");
    }

    @Test
    void duplicatesAreRefused() throws IOException {
        Map<String, GgufValue> twoKeys = new LinkedHashMap<>();
        twoKeys.put("k1", GgufValue.of(1));
        twoKeys.put("k2", GgufValue.of(2));
        Path keys = write(twoKeys);
        patch(keys, indexOf(keys, "k2"), new byte[] {'k', '1'});
        assertBroken(keys, "key `k1` occurs twice");

        Path tensors = write(Map.of());
        patch(tensors, indexOf(tensors, "bb"), new byte[] {'a', 'a'});
        assertBroken(tensors, "tensor aa occurs twice");
    }

    @Test
    void shapesAreChecked() throws IOException {
        Path dims = write(Map.of());
        patch(dims, indexOf(dims, "aa") + 2, int32(5));
        assertBroken(dims, "5 dimensions");

        Path negative = write(Map.of());
        patch(negative, indexOf(negative, "aa") + 2 + 4, int64(-32));
        assertBroken(negative, "a dimension of 18446744073709551584");

        Path block = write(Map.of());
        patch(block, indexOf(block, "bb") + 2 + 4, int64(33));
        patch(block, indexOf(block, "bb") + 2 + 4 + 8 + 8, int32(2));
        assertBroken(block, "a multiple of 32 expected");

        Path overflow = write(Map.of());
        patch(overflow, indexOf(overflow, "bb") + 2 + 4, int64(1L << 40));
        patch(overflow, indexOf(overflow, "bb") + 2 + 4 + 8, int64(1L << 40));
        assertBroken(overflow, "more than 2^63 bytes");
    }

    @Test
    void extentsAreChecked() throws IOException {
        Path misaligned = write(Map.of());
        patch(misaligned, offsetOf(misaligned, "aa", 1), int64(1));
        assertBroken(misaligned, "a multiple of 32 expected");

        Path outside = write(Map.of());
        patch(outside, offsetOf(outside, "aa", 1), int64(1L << 40));
        assertBroken(outside, "but the file holds");

        Path overlapping = write(Map.of());
        patch(overlapping, offsetOf(overlapping, "bb", 2), int64(0));
        assertBroken(overlapping, "overlap");
    }

    @Test
    void theLastTensorNeedsNoPadding() throws IOException {
        Path file = write(Map.of());
        byte[] bytes = Files.readAllBytes(file);
        int unpadded = bytes.length - 8;
        Files.write(file, Arrays.copyOf(bytes, unpadded));

        assertThat(open(file).tensors()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aSplitSetOpensFromAnyOfItsFiles(int part) {
        writeSplits(3);
        try (Arena arena = Arena.ofConfined()) {
            List<GgufFile> files = GgufSplits.open(split(part, 3), arena);
            assertThat(files).extracting(GgufFile::path).containsExactly(split(1, 3), split(2, 3), split(3, 3));
        }
    }

    @Test
    void brokenSplitSetsAreRefused() throws IOException {
        writeSplits(3);
        Path renamed = folder.resolve("renamed.gguf");
        Files.copy(split(1, 3), renamed);
        assertThatThrownBy(() -> openSplits(renamed)).hasMessageContaining("one of 3 files");

        Files.copy(split(2, 3), split(3, 3), StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> openSplits(split(1, 3))).hasMessageContaining("`split.no`: 2 expected, got 1");

        Files.delete(split(3, 3));
        assertThatThrownBy(() -> openSplits(split(1, 3)))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("-00003-of-00003.gguf");
    }

    @Test
    void aFailedWriteLeavesNothingBehind() throws IOException {
        Path file = folder.resolve("t.gguf");
        GgufWriter.Entry tooShort =
                new GgufWriter.Entry(
                        GgufLayout.Declaration.of("a", DType.F32, new long[] {2}),
                        channel -> channel.write(ByteBuffer.allocate(4)));

        assertThatThrownBy(() -> GgufWriter.write(file, Map.of(), List.of(tooShort)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a takes 8 bytes, got 4");
        assertThat(folder).isEmptyDirectory();
    }

    private void writeSplits(int count) {
        for (int part = 1; part <= count; part++) {
            Map<String, GgufValue> metadata = new LinkedHashMap<>();
            metadata.put("split.no", new GgufValue.Int(GgufType.UINT16, part - 1));
            metadata.put("split.count", new GgufValue.Int(GgufType.UINT16, count));
            metadata.put("split.tensors.count", new GgufValue.Int(GgufType.INT32, count));
            GgufWriter.write(
                    split(part, count),
                    metadata,
                    List.of(GgufWriter.Entry.of("t" + part, new long[] {1}, new float[] {part})));
        }
    }

    private Path split(int part, int count) {
        return folder.resolve("m-0000" + part + "-of-0000" + count + ".gguf");
    }

    private static void openSplits(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            GgufSplits.open(file, arena);
        }
    }

    /// Writes a file with the tensors `aa` of one dimension and `bb` of two.
    private Path write(Map<String, GgufValue> metadata) {
        Path file = folder.resolve("f" + System.nanoTime() + ".gguf");
        GgufWriter.write(
                file,
                metadata,
                List.of(
                        GgufWriter.Entry.of("aa", new long[] {32}, new float[32]),
                        GgufWriter.Entry.of("bb", new long[] {2, 3}, new float[6])));
        return file;
    }

    private static GgufFile open(Path file) {
        return GgufFile.open(file, Arena.ofAuto());
    }

    private static void assertBroken(Path file, String message) {
        assertFails(file, ModelFormatException.class, message);
    }

    private static void assertUnsupported(Path file, String message) {
        assertFails(file, UnsupportedModelException.class, message);
    }

    private static void assertFails(Path file, Class<? extends MixtralException> type, String message) {
        assertThatThrownBy(() -> open(file))
                .isInstanceOf(type)
                .hasMessageContaining(message)
                .hasMessageContaining(file.toString());
    }

    private static int offsetOf(Path file, String tensor, int numDims) throws IOException {
        return indexOf(file, tensor) + 2 + 4 + 8 * numDims + 4;
    }

    private static int indexOf(Path file, String text) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).indexOf(text);
    }

    private static void patch(Path file, int at, byte[] replacement) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        System.arraycopy(replacement, 0, bytes, at, replacement.length);
        Files.write(file, bytes);
    }

    private static byte[] int32(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    private static byte[] int64(long value) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
    }
}

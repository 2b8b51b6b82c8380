package dev.mixtral.format.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.tensor.DType;
import dev.mixtral.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        Path file = folder.resolve("t.safetensors");
        float[] values = {1, -2, 0.5f, 3};
        SafetensorsWriter.write(
                file,
                Map.of("format", "pt"),
                List.of(
                        new SafetensorsWriter.Entry("b", DType.BF16, new long[] {4}, values),
                        new SafetensorsWriter.Entry("scalar", DType.F32, new long[0], new float[] {9}),
                        new SafetensorsWriter.Entry("none", DType.F16, new long[] {0, 3}, new float[0]),
                        new SafetensorsWriter.Entry("h", DType.F16, new long[] {2, 2}, values)));

        SafetensorsFile read = open(file);

        assertThat(read.metadata()).containsExactly(Map.entry("format", "pt"));
        assertThat(read.tensors()).extracting(Tensor::name).containsExactly("b", "scalar", "none", "h");
        assertThat(read.tensors().get(0).toFloats()).isEqualTo(values);
        assertThat(read.tensors().get(1).toFloats()).containsExactly(9);
        assertThat(read.tensors().get(2).toFloats()).isEmpty();
        assertThat(read.tensors().get(3).toFloats()).isEqualTo(values);
        assertThat(ByteBuffer.wrap(Files.readAllBytes(file))
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .getLong()
                        % 8)
                .isZero();
    }

    @Test
    void bf16IsRounded() {
        Path file = folder.resolve("t.safetensors");
        float[] values = {Float.intBitsToFloat(0x3f81_8000), Float.intBitsToFloat(0x7f80_0001)};
        SafetensorsWriter.write(
                file, Map.of(), List.of(new SafetensorsWriter.Entry("b", DType.BF16, new long[] {2}, values)));

        float[] read = open(file).tensors().getFirst().toFloats();
        assertThat(read[0]).isEqualTo(Float.intBitsToFloat(0x3f82_0000));
        assertThat(read[1]).isNaN();
    }

    @Test
    void dataNeedNotBeAligned() throws IOException {
        String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        Path file = write(header + " ".repeat(9 - header.length() % 8), new byte[] {0, 0, (byte) 0x80, 0x3f});
        assertThat(open(file).tensors().getFirst().toFloats()).containsExactly(1f);
    }

    @Test
    void unknownMembersOfATensorAreIgnored() throws IOException {
        Path file = write(
                "{\"a\":{\"dtype\":\"F32\",\"x\":{\"y\":[1]},\"shape\":[1],\"data_offsets\":[0,4]}}", new byte[4]);
        assertThat(open(file).tensors()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|uplicate",
                "{'__metadata__':{'x':'1','x':'2'}}|uplicate",
                "{'__metadata__':{'x':1}}|__metadata__.x: VALUE_STRING expected",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|8 bytes expected, got 4",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}|take 4 bytes, but 8",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|leaves a hole",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}|overlaps",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,16]}}|take 16 bytes, but 8",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}}|begin ≤ end",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,9]}}|begin ≤ end",
                "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}}|negative number -2",
                "{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}}|whole numbers expected",
                "{'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,8]}}|invalid JSON",
                "{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,8]}}|more than 2^63 bytes",
                "{'a':{'dtype':'F32','data_offsets':[0,8]}}|needs `dtype`, `shape` and `data_offsets`",
                "{'a':{'dtype':'F33','shape':[2],'data_offsets':[0,8]}}|unknown type `F33`",
                "{'a':{'dtype':'F32','shape':[1,1,1,1,1,1,1,1,2],'data_offsets':[0,8]}}|at most 8 numbers",
                "{'a':[]}|tensor a: START_OBJECT expected",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} x|invalid JSON",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}{}|text follows",
                "[]|does not start with",
                "{'a|invalid JSON",
            })
    void brokenHeadersAreRefused(String header, String message) throws IOException {
        Path file = write(header.replace('\'', '"'), new byte[8]);
        assertThatThrownBy(() -> open(file))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(message)
                .hasMessageContaining(file.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"F64", "I8", "F8_E4M3", "F8_E5M2", "I32", "BOOL"})
    void otherTypesAreRefusedByName(String type) throws IOException {
        Path file = write("{\"a\":{\"dtype\":\"" + type + "\",\"shape\":[8],\"data_offsets\":[0,8]}}", new byte[8]);
        assertThatThrownBy(() -> open(file))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("tensor a has type " + type);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 100_000_001, -1, Long.MIN_VALUE, 4096})
    void headerLengthsAreChecked(long length) throws IOException {
        Path file = write("{}", new byte[0]);
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        Files.write(file, bytes);
        assertThatThrownBy(() -> open(file)).isInstanceOf(ModelFormatException.class);
    }

    @Test
    void invalidUtf8IsRefused() throws IOException {
        Path file = write("{\"\u00ff\":1}", new byte[0]);
        byte[] bytes = Files.readAllBytes(file);
        bytes[10] = (byte) 0xff;
        Files.write(file, bytes);
        assertThatThrownBy(() -> open(file)).hasMessageContaining("not valid UTF-8");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'weight_map':{'a':'x/one.safetensors'}}|plain name",
                "{'weight_map':{'a':'..\\\\one.safetensors'}}|plain name",
                "{'weight_map':{'a':'/etc/passwd'}}|plain name",
                "{'weight_map':{'a':'one.bin'}}|plain name",
                "{'weight_map':{'a':'one\\u0000.safetensors'}}|plain name",
                "{'weight_map':{'a':'\\ud800.safetensors'}}|plain name",
                "{'weight_map':{'a':1}}|a string expected",
                "{'weight_map':{'a':null}}|has no file",
                "{'metadata':{}}|`weight_map` is missing",
                "{'weight_map':{'a':'one.safetensors','b':'one.safetensors'}}|tensor b should lie in one.safetensors",
                "{'weight_map':{'a':'two.safetensors','c':'one.safetensors'}}|places in two.safetensors",
            })
    void brokenIndexesAreRefused(String json, String message) throws IOException {
        writeShard("one.safetensors", "a");
        writeShard("two.safetensors", "c");
        String text = json.replace('\'', '"');
        Path index = Files.writeString(folder.resolve("model.safetensors.index.json"), text);
        assertThatThrownBy(() -> SafetensorsIndex.read(index).open(Arena.ofAuto()))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aMissingShardIsNamed() throws IOException {
        Path index = Files.writeString(
                folder.resolve("model.safetensors.index.json"), "{\"weight_map\":{\"a\":\"gone.safetensors\"}}");
        assertThatThrownBy(() -> SafetensorsIndex.read(index).open(Arena.ofAuto()))
                .isInstanceOf(ModelNotFoundException.class)
                .hasMessageContaining("gone.safetensors");
    }

    private void writeShard(String file, String tensor) {
        SafetensorsWriter.write(
                folder.resolve(file),
                Map.of(),
                List.of(new SafetensorsWriter.Entry(tensor, DType.F32, new long[] {1}, new float[1])));
    }

    private Path write(String header, byte[] data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json).put(data);
        return Files.write(folder.resolve("t.safetensors"), bytes.array());
    }

    private static SafetensorsFile open(Path file) {
        return SafetensorsFile.open(file, Arena.ofAuto());
    }
}

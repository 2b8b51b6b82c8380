package dev.mixtral.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A two-dimensional float32 array in NumPy's format 1.0, as the golden logits are kept.
///
/// @param rows rows
/// @param cols columns
/// @param values `[rows * cols]`, row-major
public record NpyFile(int rows, int cols, float[] values) {
    private static final Pattern SHAPE = Pattern.compile("\\((\\d+), *(\\d+)\\)");

    /// Reads a file whose header says `'<f4'` and C order.
    public static NpyFile read(Path path) throws IOException {
        ByteBuffer data = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        int headerLength = data.getShort(8);
        String header = new String(data.array(), 10, headerLength, StandardCharsets.US_ASCII);
        if (!header.contains("'<f4'") || !header.contains("'fortran_order': False")) {
            throw new IOException(path + ": unexpected header " + header);
        }
        Matcher shape = SHAPE.matcher(header);
        if (!shape.find()) {
            throw new IOException(path + ": not two-dimensional: " + header);
        }
        int rows = Integer.parseInt(shape.group(1));
        int cols = Integer.parseInt(shape.group(2));
        float[] values = new float[rows * cols];
        data.position(10 + headerLength);
        data.asFloatBuffer().get(values);
        return new NpyFile(rows, cols, values);
    }
}

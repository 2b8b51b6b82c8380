package dev.mixtral.train.data;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.train.Segment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// Files of training data as tokens, with everything that is wrong in them.
///
/// @param examples the segments of each example that can be learned from
/// @param faults one for each example that cannot, in the order of the files
/// @param rewrittenIds tool calls whose id was replaced by nine letters and digits
public record TrainingData(List<List<Segment>> examples, List<DataFault> faults, int rewrittenIds) {
    public TrainingData {
        examples = List.copyOf(examples);
        faults = List.copyOf(faults);
    }

    /// Reads and encodes files.
    ///
    /// @throws InvalidRequestException if a file is not there or empty
    public static TrainingData read(List<Path> files, ExampleEncoder encoder) {
        DataFiles.Content content = DataFiles.read(files);
        List<DataFault> faults = new ArrayList<>(content.faults());
        List<List<Segment>> examples = new ArrayList<>();
        for (DataExample example : content.examples()) {
            try {
                examples.add(encoder.encode(example));
            } catch (InvalidRequestException e) {
                faults.add(new DataFault(example.origin(), String.valueOf(e.getMessage())));
            }
        }
        faults.sort((a, b) -> {
            int byFile =
                    files.indexOf(a.origin().file()) - files.indexOf(b.origin().file());
            return byFile != 0
                    ? byFile
                    : Integer.compare(a.origin().line(), b.origin().line());
        });
        return new TrainingData(examples, faults, content.rewrittenIds());
    }

    /// Returns the tokens of all segments.
    public long numTokens() {
        return segments().mapToLong(Segment::length).sum();
    }

    /// Returns the tokens that are learned.
    public long numCounted() {
        return segments().mapToLong(Segment::numCounted).sum();
    }

    /// Returns the tokens of the longest segment.
    public int longest() {
        return segments().mapToInt(Segment::length).max().orElse(0);
    }

    private Stream<Segment> segments() {
        return examples.stream().flatMap(List::stream);
    }

    /// Returns a checksum of all ids and weights, in order.
    public int checksum() {
        CRC32C checksum = new CRC32C();
        segments().forEach(segment -> {
            ByteBuffer bytes = ByteBuffer.allocate(8 * segment.length());
            for (int i = 0; i < segment.length(); i++) {
                bytes.putInt(segment.ids()[i]).putFloat(segment.weights()[i]);
            }
            checksum.update(bytes.flip());
        });
        return (int) checksum.getValue();
    }
}

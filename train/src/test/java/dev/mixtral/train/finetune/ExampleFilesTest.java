package dev.mixtral.train.finetune;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.train.data.TrainingData;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExampleFilesTest {
    /// [ExampleFiles#main] writes them again.
    @Test
    void theFilesAreWhatTheGeneratorsWrite() throws IOException {
        assertThat(Files.readString(ExampleFiles.FOLDER.resolve("tickets.jsonl")))
                .isEqualTo(ExampleFiles.ticketsText());
        assertThat(Files.readString(ExampleFiles.FOLDER.resolve("keep.jsonl"))).isEqualTo(ExampleFiles.keepText());
    }

    @Test
    void theyHaveNoFaults() {
        try (Checkpoint checkpoint = Checkpoints.open(TinyModel.EMBEDDED)) {
            TrainingData data = TrainingData.read(
                    List.of(ExampleFiles.FOLDER.resolve("tickets.jsonl"), ExampleFiles.FOLDER.resolve("keep.jsonl")),
                    Finetuning.encoder(checkpoint, 512));
            assertThat(data.faults()).isEmpty();
            assertThat(data.rewrittenIds()).isZero();
            assertThat(data.examples()).hasSize(1200);
        }
    }
}

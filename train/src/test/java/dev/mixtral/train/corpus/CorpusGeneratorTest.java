package dev.mixtral.train.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CorpusGeneratorTest {
    @Test
    void print() throws Exception {
        java.nio.file.Files.writeString(java.nio.file.Path.of("target/samples.txt"), Samples.render(1, 12));
        assertThat(new CorpusGenerator(1).next()).isNotNull();
    }
}

package dev.mixtral.benchmarks;

import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import dev.mixtral.train.corpus.CorpusGenerator;
import dev.mixtral.train.corpus.Samples;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Text into token ids, with the tokenizer of the small model that comes with the program, or of another one whose
/// `tokenizer.model` or `tokenizer.json` the system property `tokenizer` names.
@State(Scope.Thread)
@Fork(2)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 1)
public class TokenizerBenchmark {
    private byte[] text = new byte[0];
    private Tokenizer tokenizer = Tokenizers.open(Path.of(System.getProperty(
            "tokenizer", System.getProperty("mixtral.home", ".") + "/models/mixtral-tiny/tokenizer.model")));

    /// Counts the text that was encoded; JMH reports it per second.
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Encoded {
        /// Bytes of UTF-8.
        public long bytes;

        /// Tokens that they became.
        public long tokens;
    }

    /// Makes a text of several languages, JSON and code.
    @Setup
    public void setUp() {
        CorpusGenerator corpus = new CorpusGenerator(1);
        StringBuilder conversations = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            conversations.append(Samples.render(corpus.next()));
        }
        text = conversations.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// About ten kilobytes.
    @Benchmark
    public int[] encode(Encoded encoded) {
        int[] ids = tokenizer.encode(text);
        encoded.bytes += text.length;
        encoded.tokens += ids.length;
        return ids;
    }
}

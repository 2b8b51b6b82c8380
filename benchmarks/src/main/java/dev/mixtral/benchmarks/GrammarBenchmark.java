package dev.mixtral.benchmarks;

import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.CompiledGrammar;
import dev.mixtral.grammar.Grammar;
import dev.mixtral.grammar.GrammarCompiler;
import dev.mixtral.grammar.GrammarMatcher;
import dev.mixtral.sampling.TokenMask;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Schemas into grammars, and grammars into masks.
///
/// The system property `schemas` names a JSONL file with `{"schema","valid":[…]}` lines, `tokenizer` a
/// vocabulary; without them, one schema of an order and the vocabulary of the small model. Compilations and masks
/// are sampled one by one, so the percentiles are those of single ones; every grammar is fresh, so masks are as
/// cold as in a first answer.
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 3, time = 5)
public class GrammarBenchmark {
    private static final String ORDER = """
            {"schema":{"type":"object","properties":{"id":{"type":"integer","minimum":1},"email":{"format":"email",
            "type":"string"},"lines":{"type":"array","maxItems":9,"items":{"type":"object","properties":{"name":{
            "type":"string","maxLength":40},"price":{"type":"number","minimum":0,"multipleOf":0.01}},"required":["name",
            "price"],"additionalProperties":false}}},"required":["id","lines"]},"valid":[{"id":7,"email":"a@b.de",
            "lines":[{"name":"a pound of tea","price":4.5},{"name":"milk","price":1.09}]}]}""";

    private final List<JsonNode> entries = new ArrayList<>();
    private final Tokenizer tokenizer = Tokenizers.open(Path.of(System.getProperty(
            "tokenizer", System.getProperty("mixtral.home", ".") + "/models/mixtral-tiny/tokenizer.model")));
    private final JsonMapper mapper = JsonMapper.builder().build();
    private GrammarCompiler compiler = new GrammarCompiler(tokenizer);
    private int next;
    private int[] tokens = new int[0];
    private int at;
    private GrammarMatcher matcher = compiler.compile(new Grammar.JsonObject()).matcher();

    /// Reads the schemas.
    @Setup
    public void setUp() throws IOException {
        String file = System.getProperty("schemas");
        List<String> lines = file == null ? List.of(ORDER) : Files.readAllLines(Path.of(file));
        lines.forEach(line -> entries.add(mapper.readTree(line)));
    }

    private JsonNode nextEntry() {
        if (next == 0) {
            compiler = new GrammarCompiler(tokenizer); // forgets the grammars
        }
        JsonNode entry = entries.get(next);
        next = (next + 1) % entries.size();
        return entry;
    }

    /// One schema after the other; those that are refused count too.
    @Benchmark
    public Object compile() {
        try {
            return compiler.compile(new Grammar.JsonSchema(nextEntry().get("schema")));
        } catch (GrammarException e) {
            return e;
        }
    }

    /// The masks along the instances of one schema after the other.
    @Benchmark
    public TokenMask mask(Masks masks) {
        return masks.next();
    }

    /// Walks along instances, so that only masks are measured.
    @State(Scope.Thread)
    public static class Masks {
        private GrammarBenchmark benchmark = new GrammarBenchmark();

        /// Reads the schemas.
        @Setup
        public void setUp() throws IOException {
            benchmark.setUp();
        }

        TokenMask next() {
            return benchmark.matcher.mask();
        }

        /// Takes the next token, or begins the next instance.
        @Setup(Level.Invocation)
        public void advance() {
            benchmark.advance();
        }
    }

    private void advance() {
        if (at < tokens.length && matcher.accept(tokens[at])) {
            at++;
            return;
        }
        while (true) {
            JsonNode entry = nextEntry();
            if (entry.get("valid").isEmpty()) {
                continue;
            }
            try {
                CompiledGrammar grammar = compiler.compile(new Grammar.JsonSchema(entry.get("schema")));
                matcher = grammar.matcher();
                tokens = tokenizer.encode(
                        mapper.writeValueAsString(entry.get("valid").get(0)));
                at = 0;
                return;
            } catch (GrammarException e) {
                // The next one then.
            }
        }
    }
}

package dev.mixtral.engine;

import dev.mixtral.chat.ChatTemplate;
import dev.mixtral.chat.ChatTemplates;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.error.ContextLengthException;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.KernelUnavailableException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.format.Checkpoints;
import dev.mixtral.format.MixtralConfig;
import dev.mixtral.grammar.GrammarCompiler;
import dev.mixtral.grammar.RecordType;
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvStorage;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraFiles;
import dev.mixtral.model.Adapter;
import dev.mixtral.model.Batch;
import dev.mixtral.model.Mixtral;
import dev.mixtral.model.MixtralWeights;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.scheduler.SchedulerConfig;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/// A loaded model, ready to generate. Thread-safe: generations of several threads share each forward pass. Owns the
/// mapped weights, the memory of keys and values and its threads until it is closed; engines share nothing.
public final class Engine implements AutoCloseable {
    /// Beyond this, scalar kernels would look like a hang, so they are only used when asked for by name.
    private static final long MAX_SCALAR_PARAMETERS = 1_000_000_000L;

    /// Prompt rows of a pass that also generates: they cost about as much time as the rows of a few experts' visits.
    private static final int MAX_MIXED_PREFILL_TOKENS = 128;

    private static final System.Logger LOG = System.getLogger(Engine.class.getName());

    private final Checkpoint checkpoint;
    private final EngineConfig config;
    private final KernelSelector.Selection kernels;
    private final ThreadTeam team;
    private final Arena packedWeights = Arena.ofShared();
    private final Mixtral mixtral;
    private final KvBudget kv;
    private final KvStorage kvStorage;
    private final EngineLoop loop;
    private final Adapters adapters;
    private final @Nullable Answers answers;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile @Nullable ChatTemplate chatTemplate;
    private volatile @Nullable String fingerprint;
    private final Object grammarsLock = new Object();
    private @Nullable GrammarCompiler grammars;

    private Engine(Checkpoint checkpoint, EngineConfig config) {
        this.checkpoint = checkpoint;
        this.config = config;
        MixtralConfig model = checkpoint.config();
        this.kernels = KernelSelector.select(config.kernels());
        refuseSlowKernels(model);
        this.kv = KvBudget.of(checkpoint, config);
        this.answers = checkpoint
                .tokenizerSource()
                .map(Tokenizers::open)
                .map(tokenizer -> Answers.of(tokenizer, model.vocabSize(), checkpoint.eosTokenIds()))
                .orElse(null);
        int threads = config.numThreads() > 0
                ? config.numThreads()
                : Runtime.getRuntime().availableProcessors();
        this.team = new ThreadTeam(threads);
        MixtralWeights weights = prepareWeights();
        this.mixtral = new Mixtral(model, checkpoint.ropeLayout(), weights, kernels.kernels(), team);
        this.kvStorage = new KvStorage(kv.layout(), kv.numBlocks());
        this.loop = new EngineLoop(config, limits(), new ModelRunner(mixtral, kvStorage), team);
        this.adapters = new Adapters(checkpoint);
        LOG.log(System.Logger.Level.INFO, kernels.reason());
    }

    private SchedulerConfig limits() {
        return new SchedulerConfig(
                kv.numBlocks(),
                Math.min(config.maxNumSeqs(), config.maxNumBatchedTokens()),
                config.maxNumBatchedTokens(),
                MAX_MIXED_PREFILL_TOKENS,
                config.prefixCache());
    }

    /// Fails for a damaged packed file, among others: then nobody else lets go of what was begun.
    private MixtralWeights prepareWeights() {
        try {
            return MixtralWeights.prepare(checkpoint, kernels.kernels(), config.exact(), team, packedWeights);
        } catch (RuntimeException e) {
            team.close();
            packedWeights.close();
            throw e;
        }
    }

    /// Opens a model: a GGUF file, or a folder in Hugging Face or Mistral layout.
    ///
    /// @throws dev.mixtral.error.MixtralException if there is no model, it is broken, or it cannot run here
    public static Engine load(Path model, EngineConfig config) {
        Checkpoint checkpoint = Checkpoints.open(model);
        try {
            return new Engine(checkpoint, config);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private void refuseSlowKernels(MixtralConfig model) {
        boolean chosen = config.kernels().equals(KernelSelector.AUTO);
        if (chosen && kernels.kernels().name().equals("scalar") && model.numParameters() > MAX_SCALAR_PARAMETERS) {
            throw new KernelUnavailableException("only the scalar kernels can run here, which would take minutes per"
                    + " token for " + model.numParameters() / 1_000_000_000L + " B parameters (" + kernels.reason()
                    + "). Start Java with --add-modules jdk.incubator.vector, or ask for the scalar kernels by name.");
        }
    }

    /// Returns the opened checkpoint; it is closed with this engine.
    public Checkpoint checkpoint() {
        return checkpoint;
    }

    /// Returns the architecture.
    public MixtralConfig modelConfig() {
        return checkpoint.config();
    }

    /// Returns the positions that a sequence may have.
    public int contextLength() {
        return kv.contextLength();
    }

    /// Returns how keys and values are laid out and stored.
    public KvLayout kvLayout() {
        return kv.layout();
    }

    /// Returns which kernels run, and why.
    public KernelSelector.Selection kernels() {
        return kernels;
    }

    /// Returns the number of compute threads.
    public int numThreads() {
        return team.numThreads();
    }

    /// Returns the tokenizer.
    ///
    /// @throws UnsupportedModelException if the checkpoint has none
    public Tokenizer tokenizer() {
        return answers().tokenizer();
    }

    private Answers answers() {
        if (answers == null) {
            throw new UnsupportedModelException(checkpoint.source()
                    + " has no tokenizer (tokenizer.model, tokenizer.json or GGUF vocabulary), so it can only take"
                    + " token ids. Put the model's tokenizer.model beside the weights.");
        }
        return answers;
    }

    /// Returns the chat template: Mistral's own where the checkpoint's is known to equal it, else the checkpoint's.
    ///
    /// @throws UnsupportedModelException if the checkpoint has no tokenizer or an unusable template
    public ChatTemplate chatTemplate() {
        ChatTemplate template = chatTemplate;
        if (template == null) {
            // Two threads may both make it: the results are equal.
            template = ChatTemplates.forCheckpoint(checkpoint, tokenizer());
            chatTemplate = template;
        }
        return template;
    }

    /// Loads an adapter, for requests to name it. Reads and prepares it on the caller's thread, while generations go
    /// on.
    ///
    /// @param name any text that no other adapter of this engine has for a name
    /// @param path a PEFT folder or a GGUF adapter
    /// @throws InvalidRequestException if the name is empty or taken, or the adapter is one of another model
    /// @throws dev.mixtral.error.MixtralException if there is none, it is broken, or needs what is not done here
    public void loadAdapter(String name, Path path) {
        LoraAdapter adapter = LoraFiles.read(path, modelConfig());
        loadAdapter(name, adapter);
        LOG.log(
                System.Logger.Level.INFO,
                "adapter {0}: {1}, rank {2}, {3} matrices, trained on {4}",
                name,
                path,
                adapter.config().rank(),
                adapter.modules().size(),
                adapter.config().baseModel().isEmpty()
                        ? "an unnamed model"
                        : adapter.config().baseModel());
    }

    /// Same, for an adapter in memory.
    public void loadAdapter(String name, LoraAdapter adapter) {
        adapters.add(name, adapter);
    }

    /// Forgets an adapter. Generations with it go on to their end; requests for it fail from now on.
    ///
    /// @return whether there was one of that name
    public boolean unloadAdapter(String name) {
        return adapters.remove(name);
    }

    /// Returns the names of the adapters that requests may name, in alphabetical order.
    public List<String> adapters() {
        return adapters.names();
    }

    /// Returns what compiles grammars for this model's vocabulary; always the same one, as it remembers what it
    /// compiled.
    ///
    /// @throws UnsupportedModelException if the checkpoint has no tokenizer, or one without a token for every byte
    public GrammarCompiler grammars() {
        synchronized (grammarsLock) {
            GrammarCompiler compiler = grammars;
            if (compiler == null) {
                compiler = new GrammarCompiler(tokenizer());
                grammars = compiler;
            }
            return compiler;
        }
    }

    /// Makes a request from a conversation.
    public GenerationRequest chat(List<Message> messages, List<ToolDefinition> tools, SamplingParams params) {
        return new GenerationRequest(chatTemplate().render(messages, tools).ids(), params);
    }

    /// Starts a generation.
    ///
    /// @throws ContextLengthException if the prompt leaves no room for an answer
    /// @throws InvalidRequestException if the prompt is empty or has ids outside the vocabulary
    /// @throws dev.mixtral.error.ModelNotFoundException if the request names an adapter that is not loaded
    /// @throws dev.mixtral.error.GrammarException if the prompt ends with a text that the constraint forbids
    /// @throws dev.mixtral.error.OverloadedException if too many requests wait already
    /// @throws dev.mixtral.error.EngineClosedException if the engine is closed
    public Generation generate(GenerationRequest request) {
        return generate(List.of(request)).getFirst();
    }

    /// Generates a record: the answer is held to the schema of its class, waited for, and read. See [RecordType] for
    /// what a class may have.
    ///
    /// The schema holds the answer to its form only: the prompt has to say what is wanted, and does well to show
    /// [RecordType#schema()]. A constraint that the request has is replaced.
    ///
    /// @throws dev.mixtral.error.GrammarException if the class has no schema, or no answer could have its form
    /// @throws dev.mixtral.error.AnswerException if the answer ends before the record is whole, or the record's
    ///     constructor refuses its values
    /// @throws dev.mixtral.error.MixtralException as [#generate(GenerationRequest)] and [Generation] do
    public <T extends Record> T generate(GenerationRequest request, Class<T> type) {
        RecordType<T> record = RecordType.of(type);
        OutputConstraint form = new OutputConstraint.Text(grammars().compile(record.grammar()));
        try (Generation generation = generate(request.withConstraint(form))) {
            return RecordAnswer.read(generation, record);
        }
    }

    /// Starts several generations, all or none of them. With a prefix cache, what their prompts have in common is
    /// computed once.
    ///
    /// @throws ContextLengthException if a prompt leaves no room for an answer
    /// @throws InvalidRequestException if a prompt is empty or has ids outside the vocabulary
    /// @throws dev.mixtral.error.ModelNotFoundException if a request names an adapter that is not loaded
    /// @throws dev.mixtral.error.GrammarException if a prompt ends with a text that its constraint forbids
    /// @throws dev.mixtral.error.OverloadedException if too many requests wait already
    /// @throws dev.mixtral.error.EngineClosedException if the engine is closed
    public List<Generation> generate(List<GenerationRequest> requests) {
        List<Sequence> sequences = requests.stream().map(this::sequence).toList();
        loop.submit(sequences);
        return sequences.stream().map(Sequence::generation).toList();
    }

    private Sequence sequence(GenerationRequest request) {
        int[] prompt = request.prompt();
        checkIds(prompt);
        if (prompt.length >= contextLength()) {
            throw new ContextLengthException(prompt.length, contextLength());
        }
        Adapter adapter = adapters.find(request.adapter());
        return new Sequence(request, answers(), contextLength(), new KvCache(kvStorage), adapter, loop::control);
    }

    /// Returns what goes on in the engine, as of its latest step.
    public EngineStats stats() {
        return loop.stats();
    }

    /// Returns a name of everything that equal answers to equal requests with equal seeds depend on: the version of
    /// this program, the model, the kernels, and how activations, keys and values are stored.
    public String fingerprint() {
        String name = fingerprint;
        if (name == null) {
            // Two threads may both make it: the results are equal.
            name = Fingerprint.of(
                    checkpoint, kernels.kernels().name(), kv.layout().type(), config.exact());
            fingerprint = name;
        }
        return name;
    }

    /// Returns the name of what answers with an adapter depend on: what those of the model do, and the adapter.
    ///
    /// @param adapter empty for the model itself
    /// @throws dev.mixtral.error.ModelNotFoundException if there is no adapter of that name
    public String fingerprint(String adapter) {
        Adapter found = adapters.find(adapter);
        return found == null ? fingerprint() : Fingerprint.of(fingerprint(), found.digest());
    }

    private void checkIds(int[] ids) {
        if (ids.length == 0) {
            throw new InvalidRequestException(
                    "prompt", "the prompt is empty; it needs at least one token, such as BOS");
        }
        for (int id : ids) {
            if (id < 0 || id >= modelConfig().vocabSize()) {
                throw new InvalidRequestException(
                        "prompt",
                        "token id " + id + " is outside the vocabulary of "
                                + modelConfig().vocabSize());
            }
        }
    }

    /// Computes the logits that follow the last of some ids, or each of them.
    ///
    /// @param all whether every position's logits are returned, or the last one's only
    /// @return one array of `vocabSize` logits for each position asked for
    /// @throws ContextLengthException if there are more ids than the context holds
    public float[][] logits(int[] ids, boolean all) {
        return logits(ids, all, "");
    }

    /// Same, with an adapter.
    ///
    /// @param adapter name of a loaded adapter; empty for the model itself
    /// @throws dev.mixtral.error.ModelNotFoundException if there is no adapter of that name
    public float[][] logits(int[] ids, boolean all, String adapter) {
        checkIds(ids);
        Adapter found = adapters.find(adapter);
        if (ids.length > contextLength()) {
            throw new ContextLengthException(ids.length, contextLength());
        }
        float[][] result = new float[all ? ids.length : 1][];
        try (KvCache cache = new KvCache(kv.layout())) {
            for (int from = 0; from < ids.length; from += config.maxNumBatchedTokens()) {
                int to = Math.min(ids.length, from + config.maxNumBatchedTokens());
                int[] piece = Arrays.copyOfRange(ids, from, to);
                // Piece by piece, so that generations go on in between.
                float[][] rows = loop.call(() -> logits(cache, piece, all, found));
                System.arraycopy(rows, 0, result, all ? from : 0, rows.length);
            }
        }
        return result;
    }

    private float[][] logits(KvCache cache, int[] piece, boolean all, @Nullable Adapter adapter) {
        FloatMatrix logits = mixtral.forward(Batch.of(cache, piece, all, adapter));
        float[][] rows = new float[all ? piece.length : 1][];
        Arrays.setAll(rows, i -> row(logits, i));
        return rows;
    }

    private static float[] row(FloatMatrix matrix, int row) {
        return Arrays.copyOfRange(matrix.data(), matrix.offset(row), matrix.offset(row + 1));
    }

    /// Ends what runs with [dev.mixtral.error.EngineClosedException], and closes the weights, the caches and the
    /// compute threads.
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        loop.close();
        team.close();
        kvStorage.close();
        packedWeights.close();
        checkpoint.close();
    }
}

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
import dev.mixtral.kernel.KernelSelector;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.model.Batch;
import dev.mixtral.model.Mixtral;
import dev.mixtral.model.MixtralWeights;
import dev.mixtral.model.RoutingObserver;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.tokenizer.Tokenizer;
import dev.mixtral.tokenizer.Tokenizers;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A loaded model, ready to generate. Thread-safe: generations of several threads take turns, forward pass by forward
/// pass. Owns the mapped weights and the compute threads until it is closed.
public final class Engine implements AutoCloseable {
    /// Beyond this, scalar kernels would look like a hang, so they are only used when asked for by name.
    private static final long MAX_SCALAR_PARAMETERS = 1_000_000_000L;

    private static final long EXACT_CACHE_BYTES = 512L << 20;
    private static final int MAX_IDLE_SEQUENCES = 2;
    private static final System.Logger LOG = System.getLogger(Engine.class.getName());

    private final Checkpoint checkpoint;
    private final EngineConfig config;
    private final KernelSelector.Selection kernels;
    private final ThreadTeam team;
    private final Arena packedWeights = Arena.ofShared();
    private final Mixtral mixtral;
    private final KvLayout kvLayout;
    private final int contextLength;
    private final @Nullable Tokenizer tokenizer;
    private final BitSet endIds;
    private final BitSet bannedIds;
    private volatile @Nullable ChatTemplate chatTemplate;
    private final Object forwardLock = new Object();

    /// Sequences of ended generations, the latest first: a chat's next turn continues one of them.
    private final Deque<Sequence> idle = new ArrayDeque<>();

    private Engine(Checkpoint checkpoint, EngineConfig config) {
        this.checkpoint = checkpoint;
        this.config = config;
        MixtralConfig model = checkpoint.config();
        this.kernels = KernelSelector.select(config.kernels());
        refuseSlowKernels(model);
        this.contextLength = contextLength(model);
        this.kvLayout = new KvLayout(
                model.numLayers(), model.numKvHeads(), model.headDim(), kvType(model, contextLength, config.kvType()));
        this.tokenizer = checkpoint.tokenizerSource().map(Tokenizers::open).orElse(null);
        this.endIds = endIds(checkpoint, tokenizer);
        this.bannedIds = tokenizer == null ? new BitSet() : bannedIds(tokenizer, model.vocabSize(), endIds);
        int threads = config.numThreads() > 0
                ? config.numThreads()
                : Runtime.getRuntime().availableProcessors();
        this.team = new ThreadTeam(threads);
        MixtralWeights weights = prepareWeights();
        this.mixtral = new Mixtral(model, checkpoint.ropeLayout(), weights, kernels.kernels(), team);
        LOG.log(System.Logger.Level.INFO, kernels.reason());
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

    private int contextLength(MixtralConfig model) {
        int asked = config.contextLength();
        if (asked > model.contextLength()) {
            throw new InvalidRequestException(
                    "contextLength",
                    "a context of " + asked + " was asked for, but the model was trained for " + model.contextLength()
                            + " positions");
        }
        return asked == 0 ? model.contextLength() : asked;
    }

    private static KvType kvType(MixtralConfig model, int contextLength, @Nullable KvType asked) {
        if (asked != null) {
            return asked;
        }
        var exact = new KvLayout(model.numLayers(), model.numKvHeads(), model.headDim(), KvType.F32);
        return exact.bytesPerToken() * contextLength <= EXACT_CACHE_BYTES ? KvType.F32 : KvType.F16;
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
        return contextLength;
    }

    /// Returns how keys and values are laid out and stored.
    public KvLayout kvLayout() {
        return kvLayout;
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
        if (tokenizer == null) {
            throw new UnsupportedModelException(checkpoint.source()
                    + " has no tokenizer (tokenizer.model, tokenizer.json or GGUF vocabulary), so it can only take"
                    + " token ids. Put the model's tokenizer.model beside the weights.");
        }
        return tokenizer;
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

    /// Makes a request from a conversation.
    public GenerationRequest chat(List<Message> messages, List<ToolDefinition> tools, SamplingParams params) {
        return new GenerationRequest(chatTemplate().render(messages, tools).ids(), params);
    }

    /// Starts a generation, which computes as its events are read.
    ///
    /// @throws ContextLengthException if the prompt leaves no room for an answer
    /// @throws InvalidRequestException if the prompt is empty or has ids outside the vocabulary
    public Generation generate(GenerationRequest request) {
        int[] prompt = request.prompt();
        checkIds(prompt);
        if (prompt.length >= contextLength) {
            throw new ContextLengthException(prompt.length, contextLength);
        }
        return new Generation(this, request);
    }

    /// Starts several generations, all or none of them.
    ///
    /// @throws ContextLengthException if a prompt leaves no room for an answer
    /// @throws InvalidRequestException if a prompt is empty or has ids outside the vocabulary
    public List<Generation> generate(List<GenerationRequest> requests) {
        return requests.stream().map(this::generate).toList();
    }

    /// Returns what goes on in the engine.
    public EngineStats stats() {
        return new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    /// Returns a name of everything that equal answers to equal requests with equal seeds depend on.
    public String fingerprint() {
        return Fingerprint.of(checkpoint, kernels.kernels().name(), kvLayout.type(), config.exact());
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
        checkIds(ids);
        if (ids.length > contextLength) {
            throw new ContextLengthException(ids.length, contextLength);
        }
        float[][] result = new float[all ? ids.length : 1][];
        try (KvCache cache = new KvCache(kvLayout)) {
            for (int from = 0; from < ids.length; from += config.maxNumBatchedTokens()) {
                int to = Math.min(ids.length, from + config.maxNumBatchedTokens());
                int first = from;
                boolean last = to == ids.length;
                forward(cache, Arrays.copyOfRange(ids, from, to), all, null, logits -> {
                    for (int i = 0; all && i < to - first; i++) {
                        result[first + i] = row(logits, i);
                    }
                    if (!all && last) {
                        result[0] = row(logits, 0);
                    }
                });
            }
        }
        return result;
    }

    private static float[] row(FloatMatrix matrix, int row) {
        return Arrays.copyOfRange(matrix.data(), matrix.offset(row), matrix.offset(row + 1));
    }

    /// Runs one forward pass; the logits are only valid inside `use`.
    void forward(
            KvCache cache,
            int[] tokens,
            boolean allLogits,
            @Nullable RoutingObserver observer,
            Consumer<FloatMatrix> use) {
        synchronized (forwardLock) {
            use.accept(mixtral.forward(Batch.of(cache, tokens, allLogits), observer));
        }
    }

    /// Returns a sequence whose cache holds a prefix of the prompt, short of its last token.
    Sequence acquire(int[] prompt) {
        synchronized (idle) {
            Optional<Sequence> best =
                    idle.stream().max(Comparator.comparingInt(sequence -> sequence.commonPrefix(prompt)));
            if (best.isPresent() && best.get().commonPrefix(prompt) > 0) {
                Sequence sequence = best.get();
                idle.remove(sequence);
                // The last token is always computed: its logits are what the answer starts from.
                sequence.cache().setNumComputedTokens(Math.min(sequence.commonPrefix(prompt), prompt.length - 1));
                return sequence;
            }
        }
        return new Sequence(new KvCache(kvLayout));
    }

    /// Takes a sequence back from an ended generation.
    void release(Sequence sequence) {
        synchronized (idle) {
            idle.addFirst(sequence);
            while (idle.size() > MAX_IDLE_SEQUENCES) {
                idle.removeLast().close();
            }
        }
    }

    /// Returns the ids that end an answer; not to be modified.
    BitSet endIds() {
        return endIds;
    }

    private static BitSet endIds(Checkpoint checkpoint, @Nullable Tokenizer tokenizer) {
        BitSet ids = new BitSet();
        checkpoint.eosTokenIds().forEach(ids::set);
        if (tokenizer != null) {
            ids.set(tokenizer.eosId());
        }
        return ids;
    }

    /// Returns the ids that an answer never contains, not to be modified: control tokens other than end and tool
    /// calls, and rows of the output matrix that no token belongs to.
    BitSet bannedIds() {
        return bannedIds;
    }

    private static BitSet bannedIds(Tokenizer tokenizer, int numLogits, BitSet endIds) {
        BitSet banned = new BitSet();
        int numTokens = Math.min(tokenizer.vocabSize(), numLogits);
        banned.set(numTokens, numLogits);
        for (int id = 0; id < numTokens; id++) {
            if (tokenizer.isControl(id) || id == tokenizer.unknownId()) {
                banned.set(id);
            }
        }
        banned.andNot(endIds);
        tokenizer.controlId("[TOOL_CALLS]").ifPresent(banned::clear);
        return banned;
    }

    /// Returns the rows of one forward pass.
    int maxNumBatchedTokens() {
        return config.maxNumBatchedTokens();
    }

    /// Closes the weights, the caches and the compute threads. No generation may be running.
    @Override
    public void close() {
        synchronized (forwardLock) {
            team.close();
            synchronized (idle) {
                idle.forEach(Sequence::close);
                idle.clear();
            }
            packedWeights.close();
            checkpoint.close();
        }
    }
}

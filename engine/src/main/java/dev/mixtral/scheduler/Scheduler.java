package dev.mixtral.scheduler;

import dev.mixtral.kvcache.BlockPool;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.scheduler.SchedulerOutput.Chunk;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Decides, step by step, which tokens of which sequences are computed together. Confined to one thread.
///
/// A step is `schedule`, the forward pass, `update`; what comes from outside (`add`, `finish`, `setPaused`) comes
/// between
/// two steps. Sequences that generate come first, one row each; prompts follow in pieces, few rows when somebody
/// generates, many when nobody does. A request gets the blocks of its whole prompt when it starts, and one more
/// whenever
/// it fills its last. If there is none, the latest arrival gives up its own and is computed again later: so the oldest
/// always proceeds.
public final class Scheduler {
    /// Rows that a prompt gets beside an older one: a short one need not wait for the end of a long one.
    static final int PREFILL_SHARE = 32;

    /// Stands in `update` for chunks that no token follows from.
    public static final int NO_TOKEN = -1;

    private static final Comparator<SchedulerRequest> BY_ARRIVAL = Comparator.comparingLong(request -> request.arrival);

    private final SchedulerConfig config;
    private final BlockManager blocks;
    private final WaitingQueue waiting = new WaitingQueue();
    private final TreeSet<SchedulerRequest> preempted = new TreeSet<>(BY_ARRIVAL);
    private final List<SchedulerRequest> running = new ArrayList<>();
    private long arrivals;
    private long numPreemptions;
    private long numPrefixQueries;
    private long numPrefixHits;

    /// Creates a scheduler without requests.
    public Scheduler(SchedulerConfig config) {
        this.config = config;
        this.blocks = new BlockManager(config.numBlocks(), config.prefixCache());
    }

    /// Takes a new request.
    ///
    /// @throws IllegalArgumentException if it could never fit
    public void add(SchedulerRequest request) {
        if (request.maxNumTokens() > (long) config.numBlocks() * KvLayout.BLOCK_SIZE) {
            throw new IllegalArgumentException("a sequence of up to " + request.maxNumTokens() + " tokens never fits "
                    + config.numBlocks() + " blocks of " + KvLayout.BLOCK_SIZE);
        }
        request.arrival = arrivals++;
        waiting.add(request);
    }

    /// Decides what the next forward pass computes.
    public SchedulerOutput schedule() {
        blocks.copiesAreMade();
        running.forEach(request -> request.numScheduledTokens = 0);
        long preemptionsBefore = numPreemptions;
        int numDecoding = scheduleDecoding();
        int budget = numDecoding == 0
                ? config.maxNumBatchedTokens()
                : Math.min(config.maxNumMixedPrefillTokens(), config.maxNumBatchedTokens() - numDecoding);
        budget -= schedulePrefills(budget);
        // Who just lost blocks would get them back from nobody.
        if (numPreemptions == preemptionsBefore) {
            budget = admit(budget);
        }
        scheduleRest(budget);
        return output();
    }

    private int scheduleDecoding() {
        // A copy, because preemption takes from the list.
        for (SchedulerRequest request : List.copyOf(running)) {
            if (request.status == RequestStatus.RUNNING && request.isDecoding() && !request.paused) {
                request.numScheduledTokens = ensureBlock(request) ? 1 : 0;
            }
        }
        int n = 0;
        for (SchedulerRequest request : running) {
            n += request.numScheduledTokens;
        }
        return n;
    }

    /// Makes sure of a block for the last token, by preemption if need be.
    ///
    /// @return whether the request still runs
    private boolean ensureBlock(SchedulerRequest request) {
        if (!BlockManager.needsBlock(request)) {
            return true;
        }
        while (blocks.pool().numFree() == 0) {
            SchedulerRequest victim = victim();
            preempt(victim);
            if (victim == request) {
                return false;
            }
        }
        blocks.grow(request);
        return true;
    }

    /// Returns who suffers least: one that is paused, else the latest arrival.
    private SchedulerRequest victim() {
        SchedulerRequest victim = running.getFirst();
        for (SchedulerRequest request : running) {
            if (request.paused == victim.paused ? request.arrival > victim.arrival : request.paused) {
                victim = request;
            }
        }
        return victim;
    }

    private void preempt(SchedulerRequest request) {
        running.remove(request);
        blocks.free(request, true);
        request.numScheduledTokens = 0;
        request.status = RequestStatus.PREEMPTED;
        preempted.add(request);
        numPreemptions++;
    }

    /// Gives every running prompt its share.
    ///
    /// @return rows given
    private int schedulePrefills(int budget) {
        int given = 0;
        for (SchedulerRequest request : running) {
            if (!request.isDecoding() && !request.paused) {
                given += scheduleShare(request, budget - given);
            }
        }
        return given;
    }

    private static int scheduleShare(SchedulerRequest request, int budget) {
        request.numScheduledTokens = Math.min(budget, Math.min(request.numPendingTokens(), PREFILL_SHARE));
        return request.numScheduledTokens;
    }

    /// Starts waiting requests while there are rows, places and blocks.
    ///
    /// @return the rows that are left
    private int admit(int budget) {
        int left = budget;
        while (left > 0) {
            SchedulerRequest request = candidate();
            if (request == null || !makeRoom(request)) {
                return left;
            }
            start(request);
            left -= scheduleShare(request, left);
        }
        return left;
    }

    private @Nullable SchedulerRequest candidate() {
        for (SchedulerRequest request : preempted) {
            if (!request.paused) {
                return request;
            }
        }
        Optional<SchedulerRequest> next = waiting.next(request -> !config.prefixCache() || !isBeingComputed(request));
        return next.orElse(null);
    }

    /// Returns whether a running request is about to compute tokens that this one begins with: then it is cheaper to
    /// wait and share them.
    private boolean isBeingComputed(SchedulerRequest request) {
        int limit = request.numTokens() - 1;
        for (SchedulerRequest other : running) {
            if (!other.paused && other.numComputedTokens < Math.min(limit, other.numPromptTokens())) {
                int common = request.commonTokens(other, limit);
                if (common > other.numComputedTokens && common >= Math.min(limit, KvLayout.BLOCK_SIZE)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Gives a request its blocks, taking place and blocks from paused ones if need be.
    private boolean makeRoom(SchedulerRequest request) {
        while (running.size() >= config.maxNumSeqs() || !blocks.admit(request, running, running.size())) {
            SchedulerRequest victim = running.isEmpty() ? request : victim();
            if (!victim.paused) {
                return false;
            }
            preempt(victim);
        }
        return true;
    }

    private void start(SchedulerRequest request) {
        if (request.status == RequestStatus.PREEMPTED) {
            preempted.remove(request);
        } else {
            waiting.start(request);
            request.numCachedTokens = request.numComputedTokens;
            numPrefixQueries += request.numPromptTokens();
            numPrefixHits += request.numCachedTokens;
        }
        request.status = RequestStatus.RUNNING;
        running.add(request);
    }

    /// Gives what is left to the prompts, oldest turn first.
    private void scheduleRest(int budget) {
        int left = budget;
        for (SchedulerRequest request : running) {
            if (request.numScheduledTokens > 0) {
                int more = Math.min(left, request.numPendingTokens() - request.numScheduledTokens);
                request.numScheduledTokens += more;
                left -= more;
            }
        }
    }

    private SchedulerOutput output() {
        List<Chunk> chunks = new ArrayList<>(running.size());
        for (SchedulerRequest request : running) {
            int n = request.numScheduledTokens;
            if (n > 0) {
                chunks.add(new Chunk(request, request.numComputedTokens, n, request.hasNewBlocks));
                request.hasNewBlocks = false;
            }
        }
        return new SchedulerOutput(chunks, blocks.copies());
    }

    /// Takes note that a forward pass succeeded.
    ///
    /// @param output what was computed
    /// @param sampled the token that follows from each chunk, or [#NO_TOKEN] where none does
    public void update(SchedulerOutput output, int[] sampled) {
        for (int i = 0; i < sampled.length; i++) {
            Chunk chunk = output.chunks().get(i);
            blocks.computed(chunk.request(), chunk.numTokens());
            if (sampled[i] != NO_TOKEN) {
                chunk.request().append(sampled[i]);
            }
        }
    }

    /// Ends a request, wherever it is.
    ///
    /// @param keep whether its keys and values are of use to others; not after a failed forward pass
    public void finish(SchedulerRequest request, boolean keep) {
        switch (request.status) {
            case WAITING -> waiting.remove(request);
            case RUNNING -> {
                running.remove(request);
                blocks.free(request, keep);
                waiting.ended(request);
            }
            case PREEMPTED -> {
                preempted.remove(request);
                waiting.ended(request);
            }
            case FINISHED -> {}
        }
        request.status = RequestStatus.FINISHED;
    }

    /// Holds a request back, or lets it go on.
    public void setPaused(SchedulerRequest request, boolean paused) {
        request.paused = paused;
    }

    /// Returns the number of requests that hold a place in the batch.
    public int numRunning() {
        return running.size();
    }

    /// Returns the number of requests that wait, preempted ones included.
    public int numWaiting() {
        return waiting.size() + preempted.size();
    }

    /// Returns how often a request lost its blocks.
    public long numPreemptions() {
        return numPreemptions;
    }

    /// Returns how many prompt tokens were looked up in the prefix cache.
    public long numPrefixQueries() {
        return numPrefixQueries;
    }

    /// Returns how many prompt tokens were found in the prefix cache.
    public long numPrefixHits() {
        return numPrefixHits;
    }

    /// Returns which blocks are in use; not to be changed.
    public BlockPool blockPool() {
        return blocks.pool();
    }
}

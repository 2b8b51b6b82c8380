package dev.mixtral.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.kvcache.BlockHash;
import dev.mixtral.scheduler.SchedulerOutput.Chunk;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What the scheduler decides in cases that can be worked out by hand.
class SchedulerTest {
    private static final int MIXED = 40;

    private final List<SchedulerRequest> live = new ArrayList<>();
    private Scheduler scheduler = scheduler(100, 8, 512);
    private BlockWorld world = new BlockWorld(100);

    private static Scheduler scheduler(int numBlocks, int maxNumSeqs, int budget) {
        return new Scheduler(new SchedulerConfig(numBlocks, maxNumSeqs, budget, MIXED, true));
    }

    private void useBlocks(int numBlocks, int maxNumSeqs) {
        scheduler = scheduler(numBlocks, maxNumSeqs, 512);
        world = new BlockWorld(numBlocks);
    }

    private SchedulerRequest add(int seed, int numPrompt, int numNew, String client) {
        int[] prompt = IntStream.range(0, numPrompt).map(i -> seed * 1000 + i).toArray();
        return add(prompt, numNew, client);
    }

    private SchedulerRequest add(int[] prompt, int numNew, String client) {
        var request = new SchedulerRequest(prompt, prompt.length + numNew, client, BlockHash.ROOT);
        scheduler.add(request);
        live.add(request);
        return request;
    }

    /// Runs a step, and returns how many tokens of whom it computed.
    private Map<SchedulerRequest, Integer> step() {
        SchedulerOutput output = scheduler.schedule();
        scheduler.update(output, world.run(output, live));
        Map<SchedulerRequest, Integer> computed = new HashMap<>();
        for (Chunk chunk : output.chunks()) {
            computed.put(chunk.request(), chunk.numTokens());
            if (chunk.request().numTokens() == chunk.request().maxNumTokens()) {
                finish(chunk.request());
            }
        }
        return computed;
    }

    private void finish(SchedulerRequest request) {
        scheduler.finish(request, true);
        live.remove(request);
    }

    @Test
    void aPromptAloneTakesTheWholeBudgetAndFewRowsBesideOneThatGenerates() {
        SchedulerRequest first = add(1, 600, 100, "");
        assertThat(step()).containsExactly(Map.entry(first, 512));
        assertThat(step()).containsExactly(Map.entry(first, 88));
        SchedulerRequest second = add(2, 100, 100, "");
        assertThat(step()).containsOnly(Map.entry(first, 1), Map.entry(second, MIXED));
        assertThat(step()).containsOnly(Map.entry(first, 1), Map.entry(second, MIXED));
        assertThat(step()).containsOnly(Map.entry(first, 1), Map.entry(second, 20));
        assertThat(step()).containsOnly(Map.entry(first, 1), Map.entry(second, 1));
    }

    @Test
    void aShortPromptDoesNotWaitForALongOne() {
        SchedulerRequest longOne = add(1, 3000, 1, "");
        step();
        SchedulerRequest shortOne = add(2, 30, 1, "");
        assertThat(step()).containsOnly(Map.entry(longOne, 482), Map.entry(shortOne, 30));
        assertThat(shortOne.status()).isEqualTo(RequestStatus.FINISHED);
    }

    @Test
    void clientsTakeTurnsHoweverManyRequestsOneHas() {
        useBlocks(100, 1);
        List<SchedulerRequest> many = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            many.add(add(i, 10, 1, "busy"));
        }
        SchedulerRequest other = add(8, 10, 1, "other");
        SchedulerRequest third = add(9, 10, 1, "third");
        List<SchedulerRequest> order = new ArrayList<>();
        while (!live.isEmpty()) {
            order.addAll(step().keySet());
        }
        assertThat(order.subList(0, 4)).containsExactly(many.get(0), other, third, many.get(1));
        assertThat(order.subList(4, 7)).containsExactly(many.get(2), many.get(3), many.get(4));
    }

    @Test
    void aStreamOfNewClientsDoesNotStarveAnOldOne() {
        useBlocks(100, 1);
        add(1, 10, 1, "old");
        SchedulerRequest second = add(2, 10, 1, "old");
        for (int i = 0; second.status() != RequestStatus.FINISHED; i++) {
            add(3 + i, 10, 1, "new" + i);
            add(1000 + i, 10, 1, "newer" + i);
            step();
            assertThat(i).isLessThan(5);
        }
    }

    @Test
    void theLatestArrivalGivesUpItsBlocksAndGetsThemBack() {
        useBlocks(4, 2);
        SchedulerRequest first = add(1, 100, 100, "");
        SchedulerRequest second = add(2, 60, 100, "");
        while (scheduler.numPreemptions() == 0) {
            step();
        }
        assertThat(second.status()).isEqualTo(RequestStatus.PREEMPTED);
        assertThat(first.status()).isEqualTo(RequestStatus.RUNNING);
        // It is computed again before a newer one gets its first turn.
        SchedulerRequest third = add(3, 10, 10, "");
        while (third.status() == RequestStatus.WAITING) {
            step();
        }
        assertThat(second.status()).isNotEqualTo(RequestStatus.PREEMPTED);
        while (!live.isEmpty()) {
            step();
        }
        int[] prompt = Arrays.copyOf(second.tokens(), 60);
        assertThat(Arrays.copyOfRange(second.tokens(), 60, 160)).containsExactly(BlockWorld.expected(prompt, 100));
    }

    @Test
    void equalPromptsAreComputedOnce() {
        int[] prompt = IntStream.range(0, 150).toArray();
        List<SchedulerRequest> equal = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            equal.add(add(prompt, 20, ""));
        }
        assertThat(step()).containsExactly(Map.entry(equal.getFirst(), 150));
        // Two full blocks are shared, 21 tokens of the third copied; the last token is computed for its logits.
        assertThat(step().values()).containsExactlyInAnyOrder(1, 1, 1, 1);
        assertThat(equal.getLast().numCachedTokens()).isEqualTo(149);
        assertThat(equal.getLast().block(1)).isEqualTo(equal.getFirst().block(1));
        assertThat(equal.getLast().block(2)).isNotEqualTo(equal.getFirst().block(2));
    }

    @Test
    void theNextTurnOfAChatComputesWhatIsNew() {
        SchedulerRequest first = add(1, 70, 20, "");
        while (!live.isEmpty()) {
            step();
        }
        int[] next = Arrays.copyOf(first.tokens(), 100);
        SchedulerRequest second = add(next, 1, "");
        step();
        // The last generated token was never computed.
        assertThat(second.numCachedTokens()).isEqualTo(89);
    }

    @Test
    void aPausedRequestGivesItsPlaceToOthersAndComesBack() {
        useBlocks(10, 1);
        SchedulerRequest slow = add(1, 30, 50, "");
        step();
        scheduler.setPaused(slow, true);
        assertThat(step()).isEmpty();
        SchedulerRequest other = add(2, 30, 2, "");
        assertThat(step()).containsOnlyKeys(other);
        assertThat(slow.status()).isEqualTo(RequestStatus.PREEMPTED);
        step();
        assertThat(step()).isEmpty();
        scheduler.setPaused(slow, false);
        assertThat(step()).containsOnly(Map.entry(slow, 1));
    }

    @Test
    void whoWaitsCanBeCancelled() {
        useBlocks(10, 1);
        SchedulerRequest first = add(1, 30, 50, "");
        SchedulerRequest second = add(2, 30, 50, "");
        step();
        finish(second);
        assertThat(scheduler.numWaiting()).isZero();
        finish(first);
        assertThat(step()).isEmpty();
        assertThat(scheduler.blockPool().numFree()).isEqualTo(10);
    }

    @Test
    void whatCouldNeverFitIsRefused() {
        useBlocks(4, 2);
        assertThatThrownBy(() -> add(1, 200, 57, ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("257 tokens never fits 4 blocks of 64");
        add(1, 200, 56, "");
        while (!live.isEmpty()) {
            step();
        }
    }

    @Test
    void limitsThatContradictEachOtherAreRefused() {
        assertThatThrownBy(() -> scheduler(10, 8, 7))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxNumBatchedTokens 7 at least maxNumSeqs");
    }
}

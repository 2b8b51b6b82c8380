package dev.mixtral.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.kvcache.BlockHash;
import dev.mixtral.kvcache.BlockPool;
import dev.mixtral.scheduler.SchedulerOutput.BlockCopy;
import dev.mixtral.scheduler.SchedulerOutput.Chunk;
import dev.mixtral.testing.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Random arrivals, cancels and pauses under scarce blocks: what must hold in every step.
class SchedulerRandomTest {
    private static final int RUNS = 300;
    private static final int STEPS = 120;
    private static final int MAX_IDLE_STEPS = 20_000;

    /// One life of a scheduler.
    private static final class Life {
        private final Random random;
        private final SchedulerConfig config;
        private final Scheduler scheduler;
        private final BlockWorld world;
        private final List<SchedulerRequest> live = new ArrayList<>();
        private final List<int[]> texts = new ArrayList<>();
        private int numFinished;

        Life(Random random) {
            this.random = random;
            int maxNumSeqs = 1 + random.nextInt(8);
            config = new SchedulerConfig(
                    6 + random.nextInt(30),
                    maxNumSeqs,
                    maxNumSeqs + random.nextInt(150),
                    1 + random.nextInt(70),
                    random.nextInt(4) > 0);
            scheduler = new Scheduler(config);
            world = new BlockWorld(config.numBlocks());
            for (int i = 0; i < 4; i++) {
                texts.add(random.ints(200, 0, 50).toArray());
            }
        }

        void arrive() {
            int[] text = texts.get(random.nextInt(texts.size()));
            int shared = random.nextInt(text.length);
            int[] prompt = Arrays.copyOf(text, shared + 1 + random.nextInt(40));
            for (int i = shared; i < prompt.length; i++) {
                prompt[i] = random.nextInt(50);
            }
            int limit = Math.min(prompt.length + 1 + random.nextInt(150), config.numBlocks() * 64);
            var request = new SchedulerRequest(prompt, limit, "client" + random.nextInt(3), BlockHash.ROOT);
            scheduler.add(request);
            live.add(request);
        }

        void disturb() {
            if (!live.isEmpty() && random.nextInt(6) == 0) {
                SchedulerRequest request = live.get(random.nextInt(live.size()));
                if (random.nextInt(3) == 0) {
                    scheduler.finish(request, random.nextBoolean());
                    live.remove(request);
                } else if (request.status() != RequestStatus.WAITING) {
                    scheduler.setPaused(request, !request.isPaused());
                }
            }
        }

        /// Returns whether anything was computed.
        boolean step() {
            Set<SchedulerRequest> decoding = live.stream()
                    .filter(request -> request.status() == RequestStatus.RUNNING && request.isDecoding())
                    .collect(Collectors.toSet());
            SchedulerOutput output = scheduler.schedule();
            checkBudget(output, decoding);
            checkBlocks(output);
            boolean someCould = live.stream().anyMatch(request -> !request.isPaused());
            assertThat(!output.isEmpty())
                    .describedAs("something is computed if and only if someone could go on")
                    .isEqualTo(someCould);
            int[] sampled = world.run(output, live);
            if (!output.isEmpty() && random.nextInt(40) == 0) {
                // As if the forward pass had failed.
                output.chunks().forEach(chunk -> {
                    scheduler.finish(chunk.request(), false);
                    live.remove(chunk.request());
                });
                return true;
            }
            scheduler.update(output, sampled);
            live.stream()
                    .filter(request -> request.status() == RequestStatus.RUNNING)
                    .forEach(world::check);
            for (Chunk chunk : output.chunks()) {
                SchedulerRequest request = chunk.request();
                if (request.numTokens() == request.maxNumTokens()) {
                    checkAnswer(request);
                    scheduler.finish(request, true);
                    live.remove(request);
                    numFinished++;
                }
            }
            return !output.isEmpty();
        }

        private void checkBudget(SchedulerOutput output, Set<SchedulerRequest> decoding) {
            int numDecoded = 0;
            for (Chunk chunk : output.chunks()) {
                assertThat(chunk.request().isPaused()).isFalse();
                assertThat(chunk.request().status()).isEqualTo(RequestStatus.RUNNING);
                assertThat(chunk.firstPosition()).isEqualTo(chunk.request().numComputedTokens());
                assertThat(chunk.numTokens()).isPositive();
                numDecoded += decoding.contains(chunk.request()) ? 1 : 0;
            }
            assertThat(output.numTokens()).isLessThanOrEqualTo(config.maxNumBatchedTokens());
            if (numDecoded > 0) {
                assertThat(output.numTokens() - numDecoded).isLessThanOrEqualTo(config.maxNumMixedPrefillTokens());
            }
            assertThat(scheduler.numRunning()).isLessThanOrEqualTo(config.maxNumSeqs());
            assertThat(scheduler.numRunning() + scheduler.numWaiting()).isEqualTo(live.size());
        }

        private void checkBlocks(SchedulerOutput output) {
            int[] users = new int[config.numBlocks()];
            for (SchedulerRequest request : live) {
                assertThat(request.numBlocks() > 0).isEqualTo(request.status() == RequestStatus.RUNNING);
                for (int i = 0; i < request.numBlocks(); i++) {
                    users[request.block(i)]++;
                }
            }
            for (BlockCopy copy : output.copies()) {
                users[copy.from()]++;
            }
            BlockPool pool = scheduler.blockPool();
            int free = 0;
            for (int block = 0; block < users.length; block++) {
                assertThat(pool.references(block))
                        .describedAs("block %d", block)
                        .isEqualTo(users[block]);
                free += users[block] == 0 ? 1 : 0;
            }
            assertThat(pool.numFree()).isEqualTo(free);
        }

        private static void checkAnswer(SchedulerRequest request) {
            int numPrompt = request.numPromptTokens();
            int[] prompt = Arrays.copyOf(request.tokens(), numPrompt);
            int[] answer = Arrays.copyOfRange(request.tokens(), numPrompt, request.numTokens());
            assertThat(answer).containsExactly(BlockWorld.expected(prompt, answer.length));
        }
    }

    @Test
    void everyStepKeepsWhatMustHold() {
        Random random = Seeds.random("SchedulerRandomTest");
        long preemptions = 0;
        long hits = 0;
        long finished = 0;
        for (int run = 0; run < RUNS; run++) {
            Life life = new Life(random);
            for (int step = 0; step < STEPS; step++) {
                if (random.nextInt(3) == 0) {
                    life.arrive();
                }
                life.disturb();
                life.step();
            }
            life.live.forEach(request -> life.scheduler.setPaused(request, false));
            int steps = 0;
            while (life.step()) {
                assertThat(++steps).describedAs("steps until all have ended").isLessThan(MAX_IDLE_STEPS);
            }
            assertThat(life.live).isEmpty();
            assertThat(life.scheduler.blockPool().numFree()).isEqualTo(life.config.numBlocks());
            preemptions += life.scheduler.numPreemptions();
            hits += life.scheduler.numPrefixHits();
            finished += life.numFinished;
        }
        // What the test is for did happen.
        assertThat(preemptions).isGreaterThan(100);
        assertThat(hits).isGreaterThan(1000);
        assertThat(finished).isGreaterThan(1000);
    }
}

package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.engine.GenerationEvent.Started;
import dev.mixtral.engine.GenerationEvent.TextDelta;
import dev.mixtral.error.EngineClosedException;
import dev.mixtral.error.EngineFailedException;
import dev.mixtral.error.OverloadedException;
import dev.mixtral.format.TokenizerSource;
import dev.mixtral.kernel.ThreadTeam;
import dev.mixtral.kvcache.KvCache;
import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.kvcache.KvStorage;
import dev.mixtral.kvcache.KvType;
import dev.mixtral.sampling.SamplingParams;
import dev.mixtral.scheduler.SchedulerConfig;
import dev.mixtral.scheduler.SchedulerOutput;
import dev.mixtral.tensor.FloatMatrix;
import dev.mixtral.testing.Seeds;
import dev.mixtral.testing.TestModels;
import dev.mixtral.tokenizer.Tokenizers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The loop without a model: every step waits for a permit of the test, and the token is always the same.
@Timeout(60)
class EngineLoopTest {
    private static final int VOCAB = 48;
    private static final int TOKEN = 7;
    private static final int FAILING_TOKEN = 13;
    private static final int NUM_BLOCKS = 40;

    private final Semaphore permits = new Semaphore(0);
    private final ThreadTeam team = new ThreadTeam(1);
    private final KvStorage storage = new KvStorage(new KvLayout(1, 1, 4, KvType.F32), NUM_BLOCKS);
    private final List<Integer> rows = new ArrayList<>();
    private EngineConfig config = EngineConfig.defaults().withMaxNumSeqs(2).withMaxWaiting(2);
    private EngineLoop loop = start();

    private EngineLoop start() {
        return new EngineLoop(
                config, new SchedulerConfig(NUM_BLOCKS, config.maxNumSeqs(), 64, 32, true), this::compute, team);
    }

    private void restart(EngineConfig changed) {
        loop.close(); // nothing runs yet
        config = changed;
        loop = start();
    }

    @AfterEach
    void close() {
        permits.release(1_000_000); // a step that waits would never end
        loop.close();
        team.close();
        storage.close();
    }

    private FloatMatrix compute(SchedulerOutput output, List<Sequence> sequences) {
        permits.acquireUninterruptibly();
        rows.add(output.numTokens());
        for (SchedulerOutput.Chunk chunk : output.chunks()) {
            if (chunk.request().token(0) == FAILING_TOKEN) {
                throw new IllegalStateException("made to fail");
            }
        }
        FloatMatrix logits = new FloatMatrix(sequences.size(), VOCAB);
        for (int i = 0; i < sequences.size(); i++) {
            logits.data()[logits.offset(i) + TOKEN] = 1;
        }
        return logits;
    }

    private Generation generate(int maxTokens, int... prompt) {
        return generate(List.of(request(maxTokens, prompt))).getFirst();
    }

    private static GenerationRequest request(int maxTokens, int... prompt) {
        return new GenerationRequest(
                prompt, SamplingParams.greedy().maxTokens(maxTokens).build());
    }

    private List<Generation> generate(List<GenerationRequest> requests) {
        TokenizerSource vocabulary = TestModels.vocabulary(VOCAB);
        Answers answers = Answers.of(Tokenizers.open(vocabulary), VOCAB, List.of());
        List<Sequence> sequences = requests.stream()
                .map(request -> new Sequence(request, answers, 2000, new KvCache(storage), null, loop::control))
                .toList();
        loop.submit(sequences);
        return sequences.stream().map(Sequence::generation).toList();
    }

    private static GenerationEvent last(Generation generation) {
        GenerationEvent last = new TextDelta("", List.of());
        for (GenerationEvent event : generation) {
            last = event;
        }
        return last;
    }

    private static void assertEnd(Generation generation, FinishReason reason) {
        assertThat(last(generation))
                .isInstanceOfSatisfying(
                        Finished.class, end -> assertThat(end.reason()).isEqualTo(reason));
    }

    private void awaitIdle() throws InterruptedException {
        while (loop.stats().numRunning() + loop.stats().numWaiting() > 0) {
            Thread.sleep(1);
        }
        assertThat(loop.stats().numKvBlocksUsed()).isZero();
    }

    @Test
    void eventsComeInOrderAndAreCounted() throws InterruptedException {
        permits.release(1000);
        Generation generation = generate(3, 1, 2, 3);
        List<GenerationEvent> events = new ArrayList<>();
        generation.forEach(events::add);
        assertThat(events.getFirst()).isEqualTo(new Started(0));
        assertThat(events.subList(1, 4)).allMatch(TextDelta.class::isInstance);
        assertThat(events.getLast()).isInstanceOfSatisfying(Finished.class, end -> {
            assertThat(end.reason()).isEqualTo(FinishReason.LENGTH);
            assertThat(end.usage().numGeneratedTokens()).isEqualTo(3);
        });
        assertThat(generation.generatedIds()).containsExactly(TOKEN, TOKEN, TOKEN);
        assertThat(generation.poll(Duration.ofSeconds(1))).isEmpty();
        awaitIdle();
        assertThat(loop.stats().generatedTokens()).isEqualTo(3);
        assertThat(loop.stats().promptTokens()).isEqualTo(3);
        assertThat(loop.stats().steps()).isEqualTo(3);
        assertThat(rows).containsExactly(3, 1, 1);
    }

    @Test
    void pollingEndsWithItsTime() throws InterruptedException {
        Generation generation = generate(3, 1, 2, 3);
        assertThat(generation.poll(Duration.ofSeconds(10))).contains(new Started(0));
        assertThat(generation.poll(Duration.ofMillis(5))).isEmpty();
        permits.release(1);
        assertThat(generation.poll(Duration.ofSeconds(10))).containsInstanceOf(TextDelta.class);
        generation.cancel();
        permits.release(1);
        Optional<GenerationEvent> event = generation.poll(Duration.ofSeconds(10));
        while (event.isPresent() && !(event.get() instanceof Finished)) {
            event = generation.poll(Duration.ofSeconds(10));
        }
        assertThat(event).containsInstanceOf(Finished.class);
    }

    @Test
    void whatRunsAndWhatWaitsCanBeCancelled() throws InterruptedException {
        Generation running = generate(100, 1, 2);
        Generation second = generate(100, 1, 3);
        Generation waiting = generate(100, 1, 4);
        permits.release(5);
        waiting.cancel();
        permits.release(1);
        assertEnd(waiting, FinishReason.ABORTED);
        assertThat(waiting.generatedIds()).isEmpty();
        running.cancel();
        second.close();
        permits.release(2);
        assertEnd(running, FinishReason.ABORTED);
        assertThat(second.iterator().hasNext()).isFalse();
        permits.release(1000);
        awaitIdle();
    }

    @Test
    void aLongPromptIsCancelledBetweenItsPieces() throws InterruptedException {
        int[] prompt = new int[1000];
        Generation generation = generate(5, prompt);
        permits.release(2);
        while (loop.stats().steps() < 2) {
            Thread.sleep(1);
        }
        generation.cancel();
        permits.release(1);
        assertEnd(generation, FinishReason.ABORTED);
        assertThat(rows).hasSizeBetween(2, 3).containsOnly(64);
    }

    @Test
    void aFullQueueRefusesAllOrNothing() throws InterruptedException {
        List<Generation> accepted = generate(List.of(request(5, 1, 2), request(5, 1, 3), request(5, 1, 4)));
        assertThatThrownBy(() -> generate(List.of(request(5, 1, 5), request(5, 1, 6))))
                .isInstanceOfSatisfying(
                        OverloadedException.class,
                        e -> assertThat(e.retryAfterSeconds()).isBetween(1, 60))
                .hasMessageContaining("3 requests run or wait already, and at most 4 may");
        Generation fourth = generate(5, 1, 7);
        permits.release(1000);
        accepted.forEach(generation -> assertEnd(generation, FinishReason.LENGTH));
        assertEnd(fourth, FinishReason.LENGTH);
        awaitIdle();
        assertEnd(generate(5, 1, 8), FinishReason.LENGTH);
    }

    @Test
    void whoWaitsTooLongIsTold() {
        restart(config.withQueueTimeout(Duration.ofMillis(30)).withMaxNumSeqs(1));
        Generation running = generate(1000, 1, 2);
        Generation waiting = generate(5, 1, 3);
        Thread steps = Thread.ofVirtual().start(() -> {
            while (!Thread.interrupted()) {
                permits.release();
                // A thousand steps take longer than the time to wait, on any machine.
                LockSupport.parkNanos(1_000_000);
            }
        });
        assertThatThrownBy(() -> last(waiting))
                .isInstanceOf(OverloadedException.class)
                .hasMessageContaining("waited for its turn");
        running.close();
        steps.interrupt();
    }

    @Test
    void aFailedStepFailsItsRequestsAndNoOthers() throws InterruptedException {
        permits.release(1000);
        Generation failing = generate(5, FAILING_TOKEN, 1);
        assertThatThrownBy(() -> last(failing))
                .isInstanceOf(EngineFailedException.class)
                .hasMessageContaining("made to fail")
                .hasCauseInstanceOf(IllegalStateException.class);
        assertThat(failing.iterator().hasNext()).isFalse();
        awaitIdle();
        Generation next = generate(5, 1, 2);
        assertEnd(next, FinishReason.LENGTH);
    }

    @Test
    void aReaderThatLagsHoldsItsGenerationUpAndNoOther() throws InterruptedException {
        permits.release(100_000);
        Generation slow = generate(1500, 1, 2);
        Generation quick = generate(1500, 1, 3);
        assertEnd(quick, FinishReason.LENGTH);
        assertThat(slow.generatedIds()).hasSizeLessThan(Generation.CAPACITY + 2);
        assertEnd(slow, FinishReason.LENGTH);
        assertThat(slow.generatedIds()).hasSize(1500);
        awaitIdle();
    }

    @Test
    void aReaderThatNeverComesIsDropped() throws InterruptedException {
        restart(config.withStallTimeout(Duration.ofMillis(50)));
        permits.release(100_000);
        Generation abandoned = generate(1500, 1, 2);
        while (loop.stats().steps() == 0) {
            Thread.sleep(1);
        }
        awaitIdle();
        assertEnd(abandoned, FinishReason.ABORTED);
    }

    @Test
    void anInterruptedReaderCancels() throws InterruptedException {
        Generation generation = generate(100, 1, 2);
        List<GenerationEvent> ends = new ArrayList<>();
        Thread reader = Thread.ofVirtual().start(() -> ends.add(last(generation)));
        reader.interrupt();
        permits.release(1000);
        reader.join();
        assertThat(ends.getFirst()).isInstanceOf(Finished.class);
        awaitIdle();
    }

    @Test
    void closingEndsEveryReader() throws InterruptedException {
        List<Generation> generations = List.of(generate(100, 1, 2), generate(100, 1, 3), generate(100, 1, 4));
        while (!permits.hasQueuedThreads()) {
            Thread.sleep(1);
        }
        Thread closing = Thread.ofVirtual().start(loop::close);
        while (closing.getState() != Thread.State.WAITING) {
            Thread.sleep(1);
        }
        permits.release(1);
        closing.join();
        for (Generation generation : generations) {
            assertThatThrownBy(() -> last(generation)).isInstanceOf(EngineClosedException.class);
        }
        assertThatThrownBy(() -> generate(5, 1, 2)).isInstanceOf(EngineClosedException.class);
        assertThatThrownBy(() -> loop.call(() -> 1)).isInstanceOf(EngineClosedException.class);
    }

    @Test
    void callsRunBetweenStepsAndKeepTheirExceptions() {
        permits.release(1000);
        assertThat(loop.<String>call(() -> Thread.currentThread().getName())).isEqualTo("mixtral-engine");
        assertThatThrownBy(() -> loop.call(() -> {
                    throw new IllegalStateException("inside");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("inside");
    }

    @Test
    void readersOfOtherThreadsGetEverything() throws InterruptedException {
        restart(config.withMaxNumSeqs(8).withMaxWaiting(100));
        permits.release(1_000_000);
        List<Thread> readers = new ArrayList<>();
        List<GenerationEvent> ends = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 40; i++) {
            Generation generation = generate(200, 1, i % 40);
            readers.add(Thread.ofVirtual().start(() -> ends.add(last(generation))));
        }
        for (Thread reader : readers) {
            assertThat(reader.join(Duration.ofMinutes(1))).isTrue();
        }
        assertThat(ends).hasSize(40).allMatch(Finished.class::isInstance);
        awaitIdle();
    }

    /// Reads, lags, cancels, closes or leaves, as chance has it; nothing is left behind in the end.
    @Test
    void readersOfEveryKindLeaveNothingBehind() throws InterruptedException {
        restart(config.withMaxNumSeqs(4).withMaxWaiting(1000).withStallTimeout(Duration.ofMillis(20)));
        permits.release(10_000_000);
        Random random = Seeds.random("EngineLoopTest");
        List<Thread> readers = new ArrayList<>();
        List<FinishReason> ends = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 200; i++) {
            Generation generation = generate(1 + random.nextInt(900), 1, random.nextInt(48));
            int numRead = random.nextInt(300);
            int kind = random.nextInt(5);
            readers.add(Thread.ofVirtual().start(() -> read(generation, numRead, kind, ends)));
        }
        for (Thread reader : readers) {
            assertThat(reader.join(Duration.ofMinutes(1))).isTrue();
        }
        awaitIdle();
        assertThat(ends).isNotEmpty();
        assertEnd(generate(5, 1, 2), FinishReason.LENGTH);
    }

    private static void read(Generation generation, int numRead, int kind, List<FinishReason> ends) {
        int n = 0;
        for (GenerationEvent event : generation) {
            if (event instanceof Finished end) {
                ends.add(end.reason());
            }
            if (++n == numRead) {
                switch (kind) {
                    case 0 -> generation.cancel();
                    case 1 -> generation.close();
                    case 2 -> {
                        return; // left, neither read nor closed
                    }
                    case 3 -> LockSupport.parkNanos(30_000_000);
                    default -> {}
                }
            }
        }
    }
}

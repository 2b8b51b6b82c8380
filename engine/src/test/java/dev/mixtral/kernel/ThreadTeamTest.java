package dev.mixtral.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.testing.Seeds;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ThreadTeamTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void everyTaskRunsOnceInEveryPhase(int numThreads) throws InterruptedException {
        Random random = Seeds.random("thread team " + numThreads);
        try (ThreadTeam team = new ThreadTeam(numThreads)) {
            for (int phase = 0; phase < 2_000; phase++) {
                int numTasks = random.nextInt(20);
                AtomicIntegerArray runs = new AtomicIntegerArray(20);
                team.run(numTasks, (index, _) -> runs.incrementAndGet(index));
                for (int i = 0; i < 20; i++) {
                    assertThat(runs.get(i)).isEqualTo(i < numTasks ? 1 : 0);
                }
                if (phase % 500 == 0) {
                    // Long enough for the members to park.
                    Thread.sleep(20);
                }
            }
        }
    }

    @Test
    void aTasksExceptionReachesTheCallerAndTheTeamLivesOn() {
        try (ThreadTeam team = new ThreadTeam(3)) {
            assertThatThrownBy(() -> team.run(100, (index, _) -> {
                        if (index == 57) {
                            throw new IllegalStateException("task " + index);
                        }
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("task 57");
            AtomicIntegerArray runs = new AtomicIntegerArray(10);
            team.run(10, (index, _) -> runs.incrementAndGet(index));
            assertThat(runs.toString()).isEqualTo("[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void tasksOfTheSecondKindSeeAllOfTheFirst(int numThreads) {
        Random random = Seeds.random("two kinds " + numThreads);
        try (ThreadTeam team = new ThreadTeam(numThreads)) {
            for (int phase = 0; phase < 2_000; phase++) {
                int numFirst = random.nextInt(8);
                int numThen = random.nextInt(8);
                int[] plain = new int[8];
                AtomicIntegerArray seen = new AtomicIntegerArray(8);
                team.run(
                        numFirst,
                        (index, _) -> plain[index] = index + 1,
                        numThen,
                        (index, _) -> seen.addAndGet(index, Arrays.stream(plain).sum()));
                for (int i = 0; i < 8; i++) {
                    assertThat(seen.get(i)).isEqualTo(i < numThen ? numFirst * (numFirst + 1) / 2 : 0);
                }
            }
        }
    }

    @Test
    void afterAFailureNoTaskOfTheSecondKindRuns() {
        try (ThreadTeam team = new ThreadTeam(3)) {
            for (int round = 0; round < 200; round++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(1);
                assertThatThrownBy(() -> team.run(
                                10,
                                (index, _) -> {
                                    if (index == 9) {
                                        throw new IllegalStateException("task " + index);
                                    }
                                },
                                10,
                                (_, _) -> runs.incrementAndGet(0)))
                        .hasMessage("task 9");
                assertThat(runs.get(0)).isZero();
            }
        }
    }

    @Test
    void callersMayComeFromDifferentThreads() throws InterruptedException {
        try (ThreadTeam team = new ThreadTeam(2)) {
            for (int i = 0; i < 20; i++) {
                AtomicIntegerArray runs = new AtomicIntegerArray(50);
                Thread caller =
                        Thread.ofPlatform().start(() -> team.run(50, (index, _) -> runs.incrementAndGet(index)));
                caller.join();
                for (int task = 0; task < 50; task++) {
                    assertThat(runs.get(task)).isEqualTo(1);
                }
            }
        }
    }
}

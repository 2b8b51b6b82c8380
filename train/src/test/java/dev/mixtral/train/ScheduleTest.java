package dev.mixtral.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ScheduleTest {
    @Test
    void warmsUpThenFallsAlongACosine() {
        LearningRate rate = new LearningRate(2e-3, 10, 1000, 0.1);
        assertThat(rate.at(0)).isEqualTo(2e-4, within(1e-12));
        assertThat(rate.at(9)).isEqualTo(2e-3, within(1e-12));
        assertThat(rate.at(10)).isEqualTo(2e-3, within(1e-12));
        assertThat(rate.at(999)).isEqualTo(2e-4, within(1e-12));
        for (int step = 10; step < 999; step++) {
            assertThat(rate.at(step + 1)).isLessThanOrEqualTo(rate.at(step));
        }
    }

    @Test
    void endsWithTheWholeContextAndKeepsTheTokensOfAStep() {
        Curriculum curriculum = Curriculum.upTo(4096, 8192);
        assertThat(curriculum.at(0, 1000)).isEqualTo(new Curriculum.Phase(0.88, 16, 512));
        assertThat(curriculum.at(879, 1000).length()).isEqualTo(512);
        assertThat(curriculum.at(880, 1000).length()).isEqualTo(1024);
        assertThat(curriculum.at(999, 1000)).isEqualTo(new Curriculum.Phase(0.03, 2, 4096));
        for (Curriculum.Phase phase : curriculum.phases()) {
            assertThat(phase.rows() * phase.length()).isEqualTo(8192);
        }
    }

    @Test
    void neverAsksForMoreThanTheContext() {
        assertThat(Curriculum.upTo(256, 1024).phases()).allMatch(phase -> phase.length() == 256);
    }
}

package dev.mixtral.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestNameTest {
    @ParameterizedTest
    @CsvSource({"port,port,0", "prot,port,1", "pot,port,1", "ports,port,1", "pirt,port,1", "'',port,4", "host,port,2"})
    void distanceCountsMistakes(String a, String b, int distance) {
        assertThat(NearestName.distance(a, b)).isEqualTo(distance);
        assertThat(NearestName.distance(b, a)).isEqualTo(distance);
    }

    @Test
    void onlyANearNameIsSuggested() {
        List<String> names = List.of("port", "host", "max-choices");
        assertThat(NearestName.of("prot", names)).contains("port");
        assertThat(NearestName.of("max-choise", names)).contains("max-choices");
        assertThat(NearestName.of("temperature", names)).isEmpty();
    }
}

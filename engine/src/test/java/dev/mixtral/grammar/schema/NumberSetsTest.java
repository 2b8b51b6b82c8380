package dev.mixtral.grammar.schema;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.schema.Facets.Numbers;
import dev.mixtral.testing.Seeds;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Held against arithmetic.
class NumberSetsTest {
    private final RegexPool pool = new RegexPool();
    private final NumberSets numbers = new NumberSets(pool);

    private static BigDecimal number(Random random) {
        int scale = random.nextInt(4);
        return new BigDecimal(BigInteger.valueOf(random.nextInt(4001) - 2000), scale);
    }

    private boolean has(Numbers set, BigDecimal number) {
        return pool.matches(set.values(), number.toPlainString().getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void ranges() {
        Random random = Seeds.random("ranges");
        for (int i = 0; i < 300; i++) {
            BigDecimal bound = random.nextInt(10) == 0 ? BigDecimal.ZERO : number(random);
            boolean above = random.nextBoolean();
            boolean inclusive = random.nextBoolean();
            Numbers set = numbers.range(bound, above, inclusive);
            for (int j = 0; j < 50; j++) {
                BigDecimal number = j == 0 ? bound : j == 1 ? bound.setScale(5) : number(random);
                int order = number.compareTo(bound);
                assertThat(has(set, number))
                        .as("%s against %s, above %s, inclusive %s", number, bound, above, inclusive)
                        .isEqualTo(order == 0 ? inclusive : order > 0 == above);
            }
        }
    }

    @Test
    void multiples() {
        Random random = Seeds.random("multiples");
        for (int i = 0; i < 40; i++) {
            BigDecimal divisor = new BigDecimal(BigInteger.valueOf(1 + random.nextInt(300)), random.nextInt(4) - 1);
            Numbers set = numbers.multiples(divisor);
            for (int j = 0; j < 50; j++) {
                BigDecimal number =
                        j % 2 == 0 ? number(random) : divisor.multiply(BigDecimal.valueOf(random.nextInt(100) - 50L));
                assertThat(has(set, number))
                        .as("%s of %s", number, divisor)
                        .isEqualTo(number.remainder(divisor).signum() == 0);
            }
        }
    }

    @Test
    void constantsAndComplements() {
        Numbers one = numbers.constants(List.of(new BigDecimal("1.50")));
        assertThat(has(one, new BigDecimal("1.5"))).isTrue();
        assertThat(has(one, new BigDecimal("1.5000"))).isTrue();
        assertThat(has(one, new BigDecimal("1.51"))).isFalse();
        Numbers others = numbers.not(one);
        assertThat(has(others, new BigDecimal("1.500"))).isFalse();
        assertThat(has(others, new BigDecimal("2"))).isTrue();
        assertThat(numbers.and(one, others)).isEqualTo(numbers.none());
        assertThat(numbers.not(numbers.none())).isEqualTo(numbers.all());
    }
}

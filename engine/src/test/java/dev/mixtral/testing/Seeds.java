package dev.mixtral.testing;

import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;

/// Seeds of random tests: printed, and repeated with `-Dtests.seed=N`.
public final class Seeds {
    private Seeds() {}

    /// Returns a generator whose seed is printed with the name of the test.
    public static Random random(String test) {
        Long given = Long.getLong("tests.seed");
        long seed = given == null ? ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) : given;
        System.out.println(test + ": repeat with -Dtests.seed=" + seed);
        return new Random(seed);
    }
}

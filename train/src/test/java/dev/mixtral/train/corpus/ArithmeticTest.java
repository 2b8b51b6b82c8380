package dev.mixtral.train.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ArithmeticTest {
    private static final Pattern SUM = Pattern.compile("(\\d+) ?(\\+|-|x|\\*|plus|minus|times) ?(\\d+)");
    private static final Pattern STEP = Pattern.compile("(\\d+)([-+x])(\\d)(?:([-+])(\\d))?=(\\d+):");

    @Test
    void stepsReadAsDocumented() {
        assertThat(Arithmetic.add(87, 43)).isEqualTo("7+3=10: 0 carry 1. 8+4+1=13: 130. Answer: 130");
        assertThat(Arithmetic.add(0, 0)).isEqualTo("0+0=0: 0. Answer: 0");
        assertThat(Arithmetic.subtract(523, 87))
                .isEqualTo("13-7=6: 6 borrow 1. 12-8-1=3: 36 borrow 1. 5-0-1=4: 436. Answer: 436");
        assertThat(Arithmetic.subtract(120, 118)).isEqualTo("10-8=2: 2 borrow 1. 2-1-1=0: 02. 1-1-0=0: 002. Answer: 2");
        assertThat(Arithmetic.multiply(34, 7)).isEqualTo("4x7=28: 8 carry 2. 3x7+2=23: 238. Answer: 238");
    }

    @Test
    void everyAnswerAndEveryStepIsRight() {
        var skill = new Arithmetic();
        var rng = new Rng(3);
        int sums = 0;
        for (int i = 0; i < 20_000; i++) {
            Example example = skill.draw(rng);
            String answer = String.valueOf(example.answer().content());
            Matcher sum = SUM.matcher(example.userTexts().getFirst());
            if (sum.find()) {
                sums++;
                int expected = value(sum.group(1), sum.group(2), sum.group(3));
                assertThat(answer).as("%s", example).endsWith("Answer: " + expected);
            }
            Matcher step = STEP.matcher(answer);
            while (step.find()) {
                int value = value(step.group(1), step.group(2), step.group(3));
                if (step.group(4) != null) {
                    value = value(String.valueOf(value), step.group(4), step.group(5));
                }
                assertThat(value).as(answer).isEqualTo(Integer.parseInt(step.group(6)));
            }
        }
        assertThat(sums).isGreaterThan(10_000);
    }

    private static int value(String a, String operator, String b) {
        int left = Integer.parseInt(a);
        int right = Integer.parseInt(b);
        return switch (operator) {
            case "+", "plus" -> left + right;
            case "-", "minus" -> left - right;
            default -> left * right;
        };
    }
}

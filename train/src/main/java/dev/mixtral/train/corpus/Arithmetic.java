package dev.mixtral.train.corpus;

import java.util.List;

/// Sums, differences and products with the steps written out digit by digit, from the right.
///
/// Every step names the two digits, the carry and the part of the result known so far, so that each token depends on
/// few others: `87 + 43` is answered `7+3=10: 0 carry 1. 8+4+1=13: 130. Answer: 130`.
final class Arithmetic implements Skill {
    private static final List<String> REQUESTS = List.of(
            "What is {0}?", "What is {0}?", "Calculate {0}", "Compute {0}.", "{0} = ?", "How much is {0}?", "{0}");

    @Override
    public String name() {
        return "arithmetic";
    }

    @Override
    public Example draw(Rng rng) {
        return switch (rng.below(20)) {
            case 0, 1, 2, 3, 4, 5, 6 -> addition(rng);
            case 7, 8, 9, 10, 11, 12 -> subtraction(rng);
            case 13, 14 -> table(rng);
            case 15, 16 -> product(rng);
            case 17 -> wordProblem(rng);
            default -> comparison(rng);
        };
    }

    private Example addition(Rng rng) {
        int a = operand(rng);
        int b = operand(rng);
        return asked(rng, a, rng.chance(90) ? "+" : "plus", b, add(a, b));
    }

    private Example subtraction(Rng rng) {
        int a = operand(rng);
        int b = operand(rng);
        int high = Math.max(a, b);
        int low = Math.min(a, b);
        String minus = rng.chance(90) ? "-" : "minus";
        if (rng.chance(90)) {
            return asked(rng, high, minus, low, subtract(high, low));
        }
        return asked(rng, low, minus, high, subtractLarger(low, high));
    }

    private Example table(Rng rng) {
        int a = rng.between(0, 12);
        int b = rng.between(0, 12);
        return asked(rng, a, times(rng), b, a + " x " + b + " = " + a * b + ". Answer: " + a * b);
    }

    private Example product(Rng rng) {
        int a = rng.between(13, rng.chance(60) ? 99 : 999);
        int b = rng.between(2, 9);
        return asked(rng, a, times(rng), b, multiply(a, b));
    }

    private Example wordProblem(Rng rng) {
        String name = rng.pick(Words.NAMES);
        String thing = rng.of("apples", "books", "coins", "stones", "cards", "letters");
        int a = rng.between(2, 99);
        int b = rng.between(1, a);
        if (rng.chance(50)) {
            String request = "{0} has {1} {3} and gets {2} more. How many {3} does {0} have now?";
            return Example.of(
                    name(), Check.NUMBER, Text.fill(request, name, a, b, thing), a + " + " + b + ": " + add(a, b));
        }
        String request = "{0} has {1} {3} and gives away {2}. How many {3} are left?";
        return Example.of(
                name(), Check.NUMBER, Text.fill(request, name, a, b, thing), a + " - " + b + ": " + subtract(a, b));
    }

    private Example comparison(Rng rng) {
        int a = operand(rng);
        int b = rng.chance(30) ? a + rng.between(1, 9) : operand(rng);
        if (a == b) {
            return Example.of(name(), Check.EXACT, Text.fill("Which is larger, {0} or {1}?", a, b), "They are equal.");
        }
        boolean larger = rng.chance(60);
        String request = larger
                ? rng.of("Which is larger, {0} or {1}?", "Which number is bigger: {0} or {1}?")
                : rng.of("Which is smaller, {0} or {1}?", "Which number is less: {0} or {1}?");
        int answer = larger ? Math.max(a, b) : Math.min(a, b);
        return Example.of(name(), Check.EXACT, Text.fill(request, a, b), "" + answer);
    }

    private Example asked(Rng rng, int a, String operator, int b, String answer) {
        boolean tight = (operator.equals("+") || operator.equals("-")) && rng.chance(20);
        String sum = tight ? a + operator + b : a + " " + operator + " " + b;
        return Example.of(name(), Check.NUMBER, Text.fill(rng.pick(REQUESTS), sum), answer);
    }

    private static String times(Rng rng) {
        return rng.of("x", "*", "times");
    }

    private static int operand(Rng rng) {
        int digits = rng.below(10);
        return digits < 3 ? rng.between(0, 9) : digits < 7 ? rng.between(10, 99) : rng.between(100, 999);
    }

    /// Returns the steps of a + b and the answer.
    static String add(int a, int b) {
        var out = new StringBuilder();
        String result = "";
        int carry = 0;
        int left = a;
        int right = b;
        for (boolean first = true; first || left > 0 || right > 0; first = false) {
            int sum = left % 10 + right % 10 + carry;
            out.append(left % 10).append('+').append(right % 10).append(first ? "" : "+" + carry);
            left /= 10;
            right /= 10;
            boolean last = left == 0 && right == 0;
            carry = sum / 10;
            result = (last ? sum : sum % 10) + result;
            out.append('=').append(sum).append(": ").append(result);
            out.append(carry > 0 && !last ? " carry 1. " : ". ");
        }
        return out + "Answer: " + (a + b);
    }

    /// Returns the steps of a - b, for a ≥ b, and the answer.
    static String subtract(int a, int b) {
        var out = new StringBuilder();
        String result = "";
        int borrow = 0;
        int left = a;
        int right = b;
        for (boolean first = true; first || left > 0 || right > 0; first = false) {
            int difference = left % 10 - right % 10 - borrow;
            int lent = difference < 0 ? 10 : 0;
            out.append(left % 10 + lent).append('-').append(right % 10).append(first ? "" : "-" + borrow);
            borrow = lent / 10;
            result = (difference + lent) + result;
            out.append('=').append(difference + lent).append(": ").append(result);
            out.append(borrow > 0 ? " borrow 1. " : ". ");
            left /= 10;
            right /= 10;
        }
        return out + "Answer: " + (a - b);
    }

    private static String subtractLarger(int low, int high) {
        if (low == high) {
            return subtract(low, high);
        }
        String steps = subtract(high, low);
        int end = steps.indexOf("Answer: ");
        return Text.fill("{0} is smaller than {1}. ", low, high) + steps.substring(0, end) + "Answer: -" + (high - low);
    }

    /// Returns the steps of a · b for a single digit b, and the answer.
    static String multiply(int a, int b) {
        var out = new StringBuilder();
        String result = "";
        int carry = 0;
        for (int left = a; left > 0; left /= 10) {
            int product = left % 10 * b + carry;
            out.append(left % 10).append('x').append(b).append(left == a ? "" : "+" + carry);
            boolean last = left < 10;
            carry = product / 10;
            result = (last ? product : product % 10) + result;
            out.append('=').append(product).append(": ").append(result);
            out.append(carry > 0 && !last ? " carry " + carry + ". " : ". ");
        }
        return out + "Answer: " + a * b;
    }
}

package dev.mixtral.server.config;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Finds what somebody meant by a misspelt name.
final class NearestName {
    /// Beyond a third of the letters, a suggestion would only puzzle.
    private static final int LETTERS_PER_MISTAKE = 3;

    private NearestName() {}

    /// Returns the name nearest to `asked`, if any is near.
    static Optional<String> of(String asked, List<String> names) {
        return names.stream()
                .min(Comparator.comparingInt(name -> distance(asked, name)))
                .filter(name -> distance(asked, name) <= Math.max(1, asked.length() / LETTERS_PER_MISTAKE));
    }

    /// Returns how many letters have to be put in, taken out, replaced or swapped with their neighbour, each at most
    /// once (optimal string alignment).
    static int distance(String a, String b) {
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] free = beforeLast;
            beforeLast = last;
            last = row;
            row = free;
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                boolean same = a.charAt(i - 1) == b.charAt(j - 1);
                row[j] = Math.min(last[j - 1] + (same ? 0 : 1), 1 + Math.min(last[j], row[j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
                }
            }
        }
        return row[b.length()];
    }
}

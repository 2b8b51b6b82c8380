package dev.mixtral.engine;

import java.util.List;

/// Watches a growing text for stop texts, across token borders. Confined to one thread.
///
/// Holds back the longest suffix that could still become a stop text; the earliest match ends the text before it.
final class StopTexts {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean matched;

    StopTexts(List<String> stops) {
        this.stops = stops;
    }

    /// Takes more text and returns what is certainly not part of a stop text.
    String append(String text) {
        if (matched) {
            return "";
        }
        held.append(text);
        int match = earliestMatch();
        if (match >= 0) {
            matched = true;
            held.setLength(match);
            return finish();
        }
        int certain = held.length() - longestPossibleStart();
        String released = held.substring(0, certain);
        held.delete(0, certain);
        return released;
    }

    /// Returns what is held back, at the end of the text.
    String finish() {
        String rest = held.toString();
        held.setLength(0);
        return rest;
    }

    /// Returns whether a stop text appeared.
    boolean matched() {
        return matched;
    }

    private int earliestMatch() {
        return stops.stream().mapToInt(held::indexOf).filter(i -> i >= 0).min().orElse(-1);
    }

    private int longestPossibleStart() {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (stop.startsWith(held.substring(held.length() - n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }
}

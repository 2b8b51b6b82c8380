package dev.mixtral.engine;

import java.util.List;

/// Watches a growing text for stop texts, across token borders. Confined to one thread.
///
/// Holds back the longest suffix that could still become a stop text; the stop text that is complete first ends the
/// text before it.
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

    /// Returns where the stop text that is complete first begins, or -1: what reading letter by letter would find.
    private int earliestMatch() {
        int start = -1;
        int end = Integer.MAX_VALUE;
        for (String stop : stops) {
            int match = held.indexOf(stop);
            int matchEnd = match + stop.length();
            if (match >= 0 && (matchEnd < end || (matchEnd == end && match < start))) {
                start = match;
                end = matchEnd;
            }
        }
        return start;
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

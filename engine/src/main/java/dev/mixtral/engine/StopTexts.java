package dev.mixtral.engine;

import java.util.List;

/// Watches a growing text for stop texts, across token borders. Confined to one thread.
///
/// Holds back the longest suffix that could still become a stop text; the stop text that is complete first ends the
/// text before it.
final class StopTexts {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private String trigger = "";
    private boolean matched;
    private boolean over;

    StopTexts(List<String> stops) {
        this.stops = stops;
    }

    /// Stops nothing any more behind the first appearance of a text.
    void endBehind(String text) {
        trigger = text;
    }

    /// Takes more text and returns what is certainly not part of a stop text.
    String append(String text) {
        if (matched) {
            return "";
        }
        held.append(text);
        int match = earliestMatch();
        int end = trigger.isEmpty() ? -1 : held.indexOf(trigger);
        over |= end >= 0 && (match < 0 || end < match);
        if (over) {
            return finish();
        }
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
            longest = Math.max(longest, heldStart(stop));
        }
        return Math.max(longest, heldStart(trigger));
    }

    /// Returns how much of the beginning of a text is held at the end.
    private int heldStart(String text) {
        for (int n = Math.min(text.length() - 1, held.length()); n > 0; n--) {
            if (text.startsWith(held.substring(held.length() - n))) {
                return n;
            }
        }
        return 0;
    }
}

package dev.mixtral.grammar.regex;

import dev.mixtral.error.Excerpt;
import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.Pattern.Alternatives;
import dev.mixtral.grammar.regex.Pattern.Characters;
import dev.mixtral.grammar.regex.Pattern.End;
import dev.mixtral.grammar.regex.Pattern.LookAhead;
import dev.mixtral.grammar.regex.Pattern.Repeat;
import dev.mixtral.grammar.regex.Pattern.Sequence;
import dev.mixtral.grammar.regex.Pattern.Start;
import java.util.ArrayList;
import java.util.List;

/// Reads ECMA-262 patterns, in Unicode mode with the leniency that browsers have: a brace that is no quantifier
/// and an escaped punctuation mark stand for themselves. Confined to one thread.
///
/// Lazy quantifiers match what greedy ones do, groups are only brackets. Source: ECMA-262 §22.2.1, Annex B.1.2.
final class PatternParser {
    private static final int MAX_DEPTH = 200;
    private static final int MAX_COUNT = 100_000;
    private static final CodePoints NO_LINE_END =
            CodePoints.of("\n\r\u2028\u2029").not();

    private final String text;
    private final boolean dotMatchesAll;
    private int at;
    private int depth;

    private PatternParser(String text, boolean dotMatchesAll) {
        this.text = text;
        this.dotMatchesAll = dotMatchesAll;
    }

    /// Parses a pattern.
    ///
    /// @param dotMatchesAll whether `.` takes line ends too
    /// @throws GrammarException if it is no pattern, or has something that no automaton can express
    static Pattern parse(String text, boolean dotMatchesAll) {
        PatternParser parser = new PatternParser(text, dotMatchesAll);
        Pattern pattern = parser.alternatives();
        if (parser.at < text.length()) {
            throw parser.invalid("has an unmatched )");
        }
        return pattern;
    }

    private Pattern alternatives() {
        if (++depth > MAX_DEPTH) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "nests groups deeper than " + MAX_DEPTH + " in " + quoted());
        }
        List<Pattern> parts = new ArrayList<>();
        do {
            parts.add(sequence());
        } while (take('|'));
        depth--;
        return parts.size() == 1 ? parts.getFirst() : new Alternatives(parts);
    }

    private Pattern sequence() {
        List<Pattern> parts = new ArrayList<>();
        while (at < text.length() && peek() != '|' && peek() != ')') {
            parts.add(quantified(atom()));
        }
        return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
    }

    private Pattern atom() {
        int c = next();
        return switch (c) {
            case '^' -> new Start();
            case '$' -> new End();
            case '.' -> new Characters(dotMatchesAll ? CodePoints.ALL : NO_LINE_END);
            case '(' -> group();
            case '[' -> new Characters(new ClassParser(this).parse());
            case '\\' -> escape();
            case '*', '+', '?' -> throw invalid("has nothing to repeat before " + (char) c);
            default -> new Characters(CodePoints.of(c, c));
        };
    }

    private Pattern group() {
        if (!take('?')) {
            return closed(alternatives());
        }
        if (take(':')) {
            return closed(alternatives());
        }
        if (take('=')) {
            return new LookAhead(closed(alternatives()), false);
        }
        if (take('!')) {
            return new LookAhead(closed(alternatives()), true);
        }
        if (text.startsWith("<=", at) || text.startsWith("<!", at)) {
            throw unsupported("uses lookbehind");
        }
        if (take('<')) {
            int end = text.indexOf('>', at);
            if (end <= at) {
                throw invalid("has a group name that does not end");
            }
            at = end + 1;
            return closed(alternatives());
        }
        throw unsupported("uses an inline flag or a group that ECMA-262 patterns of JSON Schema do not have");
    }

    private Pattern closed(Pattern inner) {
        if (!take(')')) {
            throw invalid("has an unmatched (");
        }
        return inner;
    }

    private Pattern escape() {
        if (at == text.length()) {
            throw invalid("ends with a backslash");
        }
        char c = peek();
        if ((c >= '1' && c <= '9') || c == 'k') {
            throw unsupported("uses a back-reference");
        }
        if (c == 'b' || c == 'B') {
            throw unsupported("uses the word boundary \\" + c);
        }
        return new Characters(new ClassParser(this).escaped());
    }

    private Pattern quantified(Pattern part) {
        int from = at;
        int min;
        int max;
        if (take('*')) {
            min = 0;
            max = -1;
        } else if (take('+')) {
            min = 1;
            max = -1;
        } else if (take('?')) {
            min = 0;
            max = 1;
        } else if (take('{')) {
            int[] counts = counts();
            if (counts.length == 0) {
                at = from;
                return part;
            }
            min = counts[0];
            max = counts[1];
        } else {
            return part;
        }
        take('?'); // lazy: the same language
        if (at < text.length() && (peek() == '*' || peek() == '+')) {
            throw invalid("has two quantifiers in a row");
        }
        return new Repeat(part, min, max);
    }

    /// Reads the rest of a `{m,n}`; empty if it is none.
    private int[] counts() {
        int close = text.indexOf('}', at);
        String inside = close < 0 ? "" : text.substring(at, close);
        if (!inside.matches("[0-9]+(,[0-9]*)?")) {
            return new int[0];
        }
        at = close + 1;
        int comma = inside.indexOf(',');
        int min = count(comma < 0 ? inside : inside.substring(0, comma));
        String last = comma < 0 ? inside : inside.substring(comma + 1);
        int max = last.isEmpty() ? -1 : count(last);
        if (max >= 0 && max < min) {
            throw invalid("has the quantifier {" + inside + "}, whose numbers are out of order");
        }
        return new int[] {min, max};
    }

    private int count(String digits) {
        if (digits.length() > 9 || Integer.parseInt(digits) > MAX_COUNT) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "repeats " + digits + " times, the limit is " + MAX_COUNT);
        }
        return Integer.parseInt(digits);
    }

    boolean atEnd() {
        return at == text.length();
    }

    char peek() {
        return text.charAt(at);
    }

    /// Returns the next code point and passes over it.
    int next() {
        int c = text.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    boolean take(char c) {
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    /// Takes exactly `length` hexadecimal digits; returns -1 and takes nothing if they are not there.
    int takeHex(int length) {
        if (at + length > text.length() || !text.substring(at, at + length).matches("[0-9a-fA-F]+")) {
            return -1;
        }
        at += length;
        return Integer.parseInt(text, at - length, at, 16);
    }

    /// Takes everything up to a closing brace, which is passed over.
    String takeBraced() {
        int end = take('{') ? text.indexOf('}', at) : -1;
        if (end < 0) {
            throw invalid("has an escape without its braces");
        }
        String inside = text.substring(at, end);
        at = end + 1;
        return inside;
    }

    /// Goes back over what was read.
    void back(int numChars) {
        at -= numChars;
    }

    private String quoted() {
        return "'" + Excerpt.of(text, 60) + "'";
    }

    GrammarException invalid(String problem) {
        return new GrammarException(Reason.INVALID, "", "", problem + " at position " + at + " of " + quoted());
    }

    GrammarException unsupported(String problem) {
        return new GrammarException(
                Reason.UNSUPPORTED,
                "",
                "",
                problem + " at position " + at + " of " + quoted() + ", which cannot be enforced; rewrite the pattern");
    }
}

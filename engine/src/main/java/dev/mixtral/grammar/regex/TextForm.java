package dev.mixtral.grammar.regex;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// How characters become bytes: as plain UTF-8, or as the inside of a JSON string. Shares its pool's confinement.
///
/// A JSON string has one spelling: characters stand for themselves, except quote, backslash and control
/// characters, which have their short escape, or the one with four digits where there is none. With one spelling
/// per text, intersection, complement and length of languages mean the same for spellings as for texts.
public final class TextForm {
    private static final CodePoints ESCAPED = CodePoints.of(0, 0x1f).or(CodePoints.of("\"\\"));
    private static final String SHORT = "\"\\\b\f\n\r\t";
    private static final String SHORT_NAMES = "\"\\bfnrt";

    private final RegexPool pool;
    private final boolean json;
    private final Map<CodePoints, Regex> encoded = new HashMap<>();

    private final Regex end;
    private final Regex anyCharacter;
    private final Regex anyText;

    private TextForm(RegexPool pool, boolean json) {
        this.pool = pool;
        this.json = json;
        this.end = json ? pool.range('"', '"') : pool.epsilon();
        this.anyCharacter = json ? encodeJson(CodePoints.ALL) : pool.or(utf8(CodePoints.ALL));
        this.anyText = pool.concat(pool.atLeast(anyCharacter, 0), end);
        encoded.put(CodePoints.ALL, anyCharacter);
    }

    /// Returns plain UTF-8.
    public static TextForm plain(RegexPool pool) {
        return new TextForm(pool, false);
    }

    /// Returns the inside of JSON strings; their texts end with the closing quote, see [#end()].
    public static TextForm json(RegexPool pool) {
        return new TextForm(pool, true);
    }

    /// Returns what every text ends with: nothing in plain form, the closing quote in a JSON string.
    ///
    /// The quote being part of the language keeps `(A ∩ B)"` and `A" ∩ B"` the same expression.
    public Regex end() {
        return end;
    }

    /// Returns any single character.
    public Regex anyCharacter() {
        return anyCharacter;
    }

    /// Returns any text, with its end.
    public Regex anyText() {
        return anyText;
    }

    /// Returns the texts with `min` to `max` characters, with their end.
    ///
    /// @param max -1 for no upper bound
    public Regex length(int min, int max) {
        return pool.concat(pool.repeat(anyCharacter(), min, max), end());
    }

    /// Returns one text, with its end.
    public Regex literal(String text) {
        return pool.concat(pool.literal(spell(text)), end());
    }

    /// Returns one text in all its spellings, with its end.
    public Regex anySpelling(String text) {
        List<Regex> characters = new ArrayList<>();
        text.codePoints().forEach(c -> characters.add(encode(CodePoints.of(c, c))));
        characters.add(end());
        return pool.concat(characters);
    }

    /// Returns some texts, with their end.
    public Regex literals(List<String> texts) {
        return pool.concat(pool.literals(texts.stream().map(this::spell).toList()), end());
    }

    /// Returns the bytes of a text, without its end.
    public byte[] spell(String text) {
        StringBuilder spelled = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int name = SHORT.indexOf(c);
            if (!json || (c >= 0x20 && name < 0)) {
                spelled.append(c);
            } else if (name >= 0) {
                spelled.append('\\').append(SHORT_NAMES.charAt(name));
            } else {
                spelled.append(String.format("\\u%04X", (int) c));
            }
        }
        return spelled.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    /// Returns any one character of a set.
    public Regex encode(CodePoints set) {
        Regex known = encoded.get(set);
        if (known == null) {
            known = json ? encodeJson(set) : pool.or(utf8(set));
            encoded.put(set, known);
        }
        return known;
    }

    private Regex encodeJson(CodePoints set) {
        List<Regex> parts = utf8(set.and(ESCAPED.not()));
        CodePoints escaped = set.and(ESCAPED);
        for (int i = 0; i < escaped.numRanges(); i++) {
            for (int c = escaped.from(i); c <= escaped.to(i); c++) {
                parts.add(escape(c));
            }
        }
        return pool.or(parts);
    }

    private Regex escape(int c) {
        int name = SHORT.indexOf(c);
        if (name >= 0) {
            return pool.literal("\\" + SHORT_NAMES.charAt(name));
        }
        // Serializers differ in the case of the last digit only, and both read back the same.
        int digit = Character.forDigit(c & 0xf, 16);
        Regex last = pool.or(
                pool.range(digit, digit), pool.range(Character.toUpperCase(digit), Character.toUpperCase(digit)));
        return pool.concat(pool.literal("\\u00" + (c >> 4)), last);
    }

    private List<Regex> utf8(CodePoints set) {
        List<Regex> parts = new ArrayList<>();
        CodePoints scalars = set.and(CodePoints.ALL);
        for (int i = 0; i < scalars.numRanges(); i++) {
            splitByLength(scalars.from(i), scalars.to(i), parts);
        }
        return parts;
    }

    private void splitByLength(int from, int to, List<Regex> parts) {
        int[] last = {0x7f, 0x7ff, 0xffff, CodePoints.MAX};
        int low = from;
        for (int length = 1; length <= 4 && low <= to; length++) {
            if (low <= last[length - 1]) {
                int high = Math.min(to, last[length - 1]);
                split(low, high, length, parts);
                low = high + 1;
            }
        }
    }

    /// Splits until only whole blocks of continuation bytes are left: then each byte has a range of its own.
    private void split(int from, int to, int length, List<Regex> parts) {
        for (int i = 1; i < length; i++) {
            int block = (1 << (6 * i)) - 1;
            if ((from & ~block) != (to & ~block)) {
                if ((from & block) != 0) {
                    split(from, from | block, length, parts);
                    split((from | block) + 1, to, length, parts);
                    return;
                }
                if ((to & block) != block) {
                    split(from, (to & ~block) - 1, length, parts);
                    split(to & ~block, to, length, parts);
                    return;
                }
            }
        }
        Regex sequence = pool.epsilon();
        for (int i = 0; i < length; i++) {
            int shift = 6 * i;
            boolean lead = i == length - 1;
            int marker = length == 1 ? 0 : (0xf00 >> length) & 0xff;
            int prefix = lead ? marker : 0x80;
            int mask = lead ? 0xff : 0x3f;
            int first = prefix | ((from >> shift) & mask);
            int last = prefix | ((to >> shift) & mask);
            sequence = pool.concat(pool.range(first, last), sequence);
        }
        parts.add(sequence);
    }
}

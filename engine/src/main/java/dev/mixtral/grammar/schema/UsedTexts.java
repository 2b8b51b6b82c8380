package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The language of JSON texts that were written already.
final class UsedTexts {
    private UsedTexts() {}

    /// Returns the texts in all their spellings.
    static Regex regex(RegexPool pool, List<String> used) {
        List<byte[]> plain = new ArrayList<>();
        List<Regex> all = new ArrayList<>();
        for (String text : used) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            if (text.contains("\\u")) {
                all.add(anyCase(pool, bytes));
            } else {
                plain.add(bytes);
            }
        }
        all.add(pool.literals(plain));
        return pool.or(all);
    }

    /// The case of the last hexadecimal digit of an escape makes no other value of a text.
    private static Regex anyCase(RegexPool pool, byte[] text) {
        List<Regex> parts = new ArrayList<>();
        int digit = -1;
        for (int i = 0; i < text.length; i++) {
            if (text[i] == '\\' && text[i + 1] == 'u') {
                digit = i + 5;
            } else if (text[i] == '\\') {
                parts.add(pool.range(text[i], text[i]));
                i++;
            }
            int value = text[i] & 0xff;
            Regex one = pool.range(value, value);
            if (i == digit) {
                int lower = Character.toLowerCase(value);
                int upper = Character.toUpperCase(value);
                one = pool.or(pool.range(lower, lower), pool.range(upper, upper));
            }
            parts.add(one);
        }
        return pool.concat(parts);
    }
}

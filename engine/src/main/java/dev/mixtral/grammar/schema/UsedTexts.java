package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;

/// The language of scalars that were written already.
final class UsedTexts {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private UsedTexts() {}

    /// Returns the texts in all their spellings.
    static Regex regex(RegexPool pool, TextForm form, List<String> used) {
        List<byte[]> plain = new ArrayList<>();
        List<Regex> all = new ArrayList<>();
        for (String text : used) {
            if (text.startsWith("\"") && text.contains("\\u")) {
                // The case of a hexadecimal digit makes no other value of it.
                all.add(pool.concat(
                        form.end(), form.anySpelling(MAPPER.readTree(text).stringValue())));
            } else {
                plain.add(text.getBytes(StandardCharsets.UTF_8));
            }
        }
        all.add(pool.literals(plain));
        return pool.or(all);
    }
}

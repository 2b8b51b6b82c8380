package dev.mixtral.grammar.regex;

import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// The characters of a Unicode property, by the JDK's data.
final class UnicodeProperty {
    /// General categories in the order of [Character#getType(int)], which leaves out 17.
    private static final String CATEGORIES = "CnLuLlLtLmLoMnMeMcNdNlNoZsZlZpCcCf__CoCsPdPsPePcPoSmScSkSoPiPf";

    /// The first of the planes that have no characters, and the first behind them.
    private static final int EMPTY_FROM = 0x40000;

    private static final int EMPTY_TO = 0xe0000;

    private UnicodeProperty() {}

    /// Returns the characters with a property, such as `Lu`, `Letter` or `Script=Greek`; `null` if there is no such
    /// property.
    static @Nullable CodePoints find(String name) {
        int equals = name.indexOf('=');
        String key = equals < 0 ? "" : name.substring(0, equals);
        String value = name.substring(equals + 1);
        boolean isCategory = key.isEmpty() || key.equals("General_Category") || key.equals("gc");
        int categories = isCategory ? categories(LongCategory.shorten(value)) : 0;
        if (categories != 0) {
            return collect(c -> (categories & 1 << Character.getType(c)) != 0);
        }
        String javaName = switch (key) {
            case "" -> "Is" + value;
            case "Script", "sc", "Script_Extensions", "scx" -> "script=" + value;
            default -> "";
        };
        try {
            return collect(predicate(Pattern.compile("\\p{" + javaName + "}")));
        } catch (PatternSyntaxException e) {
            return null;
        }
    }

    /// Returns one bit for each general category that a short name such as `Lu` or `L` stands for; 0 if it stands for
    /// none.
    private static int categories(String name) {
        int bits = 0;
        if (!name.matches("[A-Z][A-Za-z]?")) {
            return bits;
        }
        for (int type = 0; type * 2 < CATEGORIES.length(); type++) {
            String category = CATEGORIES.substring(type * 2, type * 2 + 2);
            boolean cased =
                    name.equals("LC") && (category.equals("Lu") || category.equals("Ll") || category.equals("Lt"));
            boolean matches = name.length() == 2 ? category.equals(name) : category.charAt(0) == name.charAt(0);
            bits |= matches || cased ? 1 << type : 0;
        }
        return bits;
    }

    private static IntPredicate predicate(Pattern pattern) {
        Matcher matcher = pattern.matcher("");
        return c -> matcher.reset(Character.toString(c)).matches();
    }

    private static CodePoints collect(IntPredicate has) {
        CodePoints.Builder set = new CodePoints.Builder();
        for (int c = 0; c <= CodePoints.MAX; c++) {
            boolean inEmptyPlane = c >= EMPTY_FROM && c < EMPTY_TO;
            // There, all code points are alike but for the last two of a plane, which are no characters.
            int last = inEmptyPlane && (c & 0xffff) == 0 ? c + 0xfffd : c;
            if (has.test(c)) {
                set.add(c, last);
            }
            c = last;
        }
        return set.build().and(CodePoints.ALL);
    }
}

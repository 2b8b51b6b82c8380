package dev.mixtral.grammar.regex;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.testing.Seeds;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Held against the JDK's patterns, which mean the same for everything used here.
class PatternCompilerTest {
    private static final List<String> ATOMS =
            List.of("a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\w", "\\s", "é", "[a-é]", "\\.", "(?:ab|c)", "😀");
    private static final List<String> LETTERS = List.of("a", "b", "c", "1", " ", "é", "\n", ".", "😀", "\"", "\\", "z");

    /// As much as a schema may use.
    private static final int FUEL = 600_000;

    private static String pattern(Random random, int depth) {
        StringBuilder pattern = new StringBuilder();
        if (depth == 0 && random.nextInt(3) == 0) {
            pattern.append('^');
        }
        if (depth == 0 && random.nextInt(5) == 0) {
            pattern.append(random.nextBoolean() ? "(?=" : "(?!")
                    .append(pattern(random, 2))
                    .append(')');
        }
        int parts = 1 + random.nextInt(3);
        for (int i = 0; i < parts; i++) {
            boolean group = depth < 2 && random.nextInt(4) == 0;
            pattern.append(group ? "(" + pattern(random, depth + 1) + ")" : ATOMS.get(random.nextInt(ATOMS.size())));
            pattern.append(
                    List.of("", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "+?").get(random.nextInt(9)));
        }
        if (depth < 2 && random.nextInt(4) == 0) {
            pattern.append('|').append(pattern(random, 2));
        }
        if (depth == 0 && random.nextInt(3) == 0) {
            pattern.append('$');
        }
        return pattern.toString();
    }

    @Test
    void searchesLikeTheJdk() {
        Random random = Seeds.random("patterns");
        int tooLarge = 0;
        for (int i = 0; i < 400; i++) {
            String text = pattern(random, 0);
            List<String> inputs = Stream.generate(() -> input(random)).limit(40).toList();
            try {
                searchLikeTheJdk(text, inputs);
            } catch (GrammarException e) {
                // Counts behind counts can grow without bound: such a pattern ends in a message, in bounded memory.
                assertThat(e.reason()).as(text).isEqualTo(Reason.TOO_LARGE);
                tooLarge++;
            }
        }
        assertThat(tooLarge).isLessThan(10);
    }

    private static void searchLikeTheJdk(String text, List<String> inputs) {
        // \z is what $ means without the multiline flag; \s differs for characters that are not used here.
        Pattern jdk = Pattern.compile(text.replace("$", "\\z"), Pattern.UNIX_LINES);
        RegexPool pool = new RegexPool();
        pool.refuel(FUEL);
        TextForm json = TextForm.json(pool);
        Regex regex = new PatternCompiler(pool, TextForm.plain(pool)).search(text);
        Regex quoted = new PatternCompiler(pool, json).search(text);
        for (String input : inputs) {
            boolean expected = jdk.matcher(input).find();
            byte[] spelled =
                    (new String(json.spell(input), StandardCharsets.UTF_8) + "\"").getBytes(StandardCharsets.UTF_8);
            assertThat(pool.matches(regex, input.getBytes(StandardCharsets.UTF_8)))
                    .as("/%s/ in '%s'", text, input)
                    .isEqualTo(expected);
            assertThat(pool.matches(quoted, spelled))
                    .as("/%s/ in JSON '%s'", text, input)
                    .isEqualTo(expected);
        }
    }

    private static String input(Random random) {
        StringBuilder input = new StringBuilder();
        for (int k = random.nextInt(7); k > 0; k--) {
            input.append(LETTERS.get(random.nextInt(LETTERS.size())));
        }
        return input.toString();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "^((?!ab)(?!Ab).)*$",
                "^(?:(?!b)[abc])+$",
                "^(\\/?((\\.{2})|([a-c]*))($|\\/))*$",
                "^(?:(?:^[*]|[ab]|a[ab]*b)\\.)*(?:a|b)$",
                "(?:^a|b)+c",
                "^(?:a$|b){2,}",
            })
    void repeatsAssertionsLikeTheJdk(String text) {
        Pattern jdk = Pattern.compile(text.replace("$", "\\z"));
        RegexPool pool = new RegexPool();
        Regex regex = new PatternCompiler(pool, TextForm.plain(pool)).search(text);
        Random random = Seeds.random("repeated assertions");
        for (int i = 0; i < 2_000; i++) {
            StringBuilder input = new StringBuilder();
            for (int k = random.nextInt(7); k > 0; k--) {
                input.append("abcA./*".charAt(random.nextInt(7)));
            }
            assertThat(pool.matches(regex, input.toString().getBytes(StandardCharsets.UTF_8)))
                    .as("/%s/ in '%s'", text, input)
                    .isEqualTo(jdk.matcher(input).find());
        }
    }

    @Test
    void countsTexts() {
        RegexPool pool = new RegexPool();
        PatternCompiler patterns = new PatternCompiler(pool, TextForm.plain(pool));
        assertThat(pool.count(patterns.full("[ab]{1,3}", false), 100)).isEqualTo(14);
        assertThat(pool.count(patterns.full("(a|aa)(a|aa)", false), 100)).isEqualTo(3);
        assertThat(pool.count(patterns.full("a*", false), 100)).isEqualTo(100);
        assertThat(pool.count(pool.nothing(), 100)).isZero();
    }

    @Test
    void emptinessSeesThroughIntersections() {
        RegexPool pool = new RegexPool();
        PatternCompiler patterns = new PatternCompiler(pool, TextForm.plain(pool));
        assertThat(pool.isEmpty(pool.and(patterns.full("(aa)+", false), patterns.full("a(aa)*", false))))
                .isTrue();
        assertThat(pool.isEmpty(pool.and(patterns.full("(aa)+", false), patterns.full("(aaa)+", false))))
                .isFalse();
    }

    @Test
    void utf8IsWhole() {
        RegexPool pool = new RegexPool();
        Regex any = TextForm.plain(pool).anyCharacter();
        for (int c : new int[] {0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff}) {
            assertThat(pool.matches(any, Character.toString(c).getBytes(StandardCharsets.UTF_8)))
                    .isTrue();
        }
        for (byte[] bad : new byte[][] {
            {(byte) 0xc0, (byte) 0x80},
            {(byte) 0xed, (byte) 0xa0, (byte) 0x80},
            {(byte) 0xf4, (byte) 0x90, (byte) 0x80, (byte) 0x80}
        }) {
            assertThat(pool.matches(any, bad)).isFalse();
        }
    }
}

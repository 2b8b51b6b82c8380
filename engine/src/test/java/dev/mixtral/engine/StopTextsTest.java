package dev.mixtral.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.testing.Seeds;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopTextsTest {
    @Test
    void nothingStopsBehindATrigger() {
        for (int size = 1; size <= 5; size++) {
            assertThat(cut("a b [GO] c b d", size, "b", "x")).isEqualTo("a ");
            assertThat(cut("a [GO] b [GO] x", size, "b", "x")).isEqualTo("a [GO] b [GO] x");
            assertThat(cut("a [G x", size, "b", "x")).isEqualTo("a [G ");
            assertThat(cut("a [G", size, "b", "[")).isEqualTo("a ");
        }
    }

    /// Reads a text in pieces, whose trigger is `[GO]`.
    private static String cut(String text, int size, String... stops) {
        StopTexts watch = new StopTexts(List.of(stops));
        watch.endBehind("[GO]");
        StringBuilder read = new StringBuilder();
        for (int at = 0; at < text.length(); at += size) {
            read.append(watch.append(text.substring(at, Math.min(text.length(), at + size))));
        }
        return watch.matched() ? read.toString() : read + watch.finish();
    }

    @Test
    void holdsBackWhatCouldBecomeAStopText() {
        StopTexts stops = new StopTexts(List.of("END", "\n\n"));
        assertThat(stops.append("one E")).isEqualTo("one ");
        assertThat(stops.append("N")).isEmpty();
        assertThat(stops.append("ough\n")).isEqualTo("ENough");
        assertThat(stops.append("two")).isEqualTo("\ntwo");
        assertThat(stops.matched()).isFalse();
        assertThat(stops.append("EN")).isEmpty();
        assertThat(stops.append("D and more")).isEmpty();
        assertThat(stops.matched()).isTrue();
        assertThat(stops.append("ignored")).isEmpty();
        assertThat(stops.finish()).isEmpty();
    }

    @Test
    void releasesTheRestAtTheEnd() {
        StopTexts stops = new StopTexts(List.of("STOP"));
        assertThat(stops.append("almost STO")).isEqualTo("almost ");
        assertThat(stops.finish()).isEqualTo("STO");
    }

    @Test
    void anyCutOfATextGivesWhatTheWholeTextGives() {
        Random random = Seeds.random("stop texts");
        for (int run = 0; run < 2_000; run++) {
            List<String> stops = List.of(text(random, 1 + random.nextInt(3)), text(random, 1 + random.nextInt(4)));
            String whole = text(random, random.nextInt(30));
            int end = expectedEnd(stops, whole);
            StopTexts matcher = new StopTexts(stops);
            StringBuilder released = new StringBuilder();
            for (int at = 0; at < whole.length() && !matcher.matched(); ) {
                int next = Math.min(whole.length(), at + 1 + random.nextInt(3));
                released.append(matcher.append(whole.substring(at, next)));
                at = next;
            }
            released.append(matcher.finish());
            assertThat(released.toString())
                    .describedAs("%s in %s", stops, whole)
                    .isEqualTo(whole.substring(0, end));
        }
    }

    /// Reads letter by letter: the first stop text to be complete counts, the longest of several.
    private static int expectedEnd(List<String> stops, String whole) {
        for (int at = 1; at <= whole.length(); at++) {
            String read = whole.substring(0, at);
            var matched = stops.stream()
                    .filter(read::endsWith)
                    .mapToInt(String::length)
                    .max();
            if (matched.isPresent()) {
                return at - matched.getAsInt();
            }
        }
        return whole.length();
    }

    /// Two letters only, so that stop texts and near misses are common.
    private static String text(Random random, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append((char) ('a' + random.nextInt(2)));
        }
        return text.toString();
    }
}

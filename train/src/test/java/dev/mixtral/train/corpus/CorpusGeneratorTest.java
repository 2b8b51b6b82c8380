package dev.mixtral.train.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.AssistantMessage;
import dev.mixtral.chat.Message;
import dev.mixtral.chat.ToolCall;
import dev.mixtral.chat.ToolDefinition;
import java.text.Normalizer;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

class CorpusGeneratorTest {
    private static final long SEED = Long.getLong("tests.seed", 20_260_101L);

    /// All characters that the corpus may contain; a new one must be meant.
    private static final String CHARACTERS = "\n !\"#%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_"
            + "abcdefghijklmnopqrstuvwxyz{}¡¿ßàáâäçèéêëìíîïñòóôöùúûüœÀÁÄÉÍÖÜ";

    private final ObjectMapper json = new ObjectMapper();

    @Test
    void theSameSeedGivesTheSameCorpusEverywhere() {
        assertThat(fingerprint(42)).isEqualTo(8_056_761_613_707_862_285L);
        assertThat(fingerprint(43)).isNotEqualTo(fingerprint(42));
    }

    private static long fingerprint(long seed) {
        var corpus = new CorpusGenerator(seed);
        long hash = 0;
        for (int i = 0; i < 1_000; i++) {
            hash = Rng.mix(hash ^ HeldOut.hash(Samples.render(corpus.next())));
        }
        return hash;
    }

    @Test
    void everySkillTurnsUpAndTheLocaleDoesNotMatter() {
        Locale before = Locale.getDefault();
        long expected = fingerprint(7);
        try {
            Locale.setDefault(Locale.forLanguageTag("tr-TR"));
            assertThat(fingerprint(7)).isEqualTo(expected);
        } finally {
            Locale.setDefault(before);
        }
        var seen = new HashSet<String>();
        new CorpusGenerator(SEED).stream().limit(5_000).forEach(example -> seen.add(example.skill()));
        assertThat(seen).containsExactlyInAnyOrderElementsOf(CorpusGenerator.skills());
    }

    @Test
    void weightsLeaveSkillsOutAndAreChecked() {
        var corpus = new CorpusGenerator(
                SEED,
                CorpusGenerator.skills().stream()
                        .filter(skill -> !skill.equals("code"))
                        .collect(Collectors.toMap(skill -> skill, _ -> 0)));
        assertThat(corpus.stream().limit(50).map(Example::skill)).containsOnly("code");
        assertThatThrownBy(() -> new CorpusGenerator(SEED, Map.of("juggling", 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("juggling");
        assertThatThrownBy(() -> new CorpusGenerator(SEED, Map.of("code", -1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void trainingNeverShowsAHeldOutPrompt() {
        var heldOut = new HashSet<String>();
        for (String skill : CorpusGenerator.skills()) {
            for (Example example : HeldOut.examples(skill, 100)) {
                heldOut.add(String.join("\n", example.userTexts()));
            }
        }
        assertThat(heldOut).hasSizeGreaterThan(1_200);
        var corpus = new CorpusGenerator(SEED);
        for (int i = 0; i < 200_000; i++) {
            Example example = corpus.next();
            assertThat(heldOut.contains(String.join("\n", example.userTexts())))
                    .as("seed %d: %s", SEED, example)
                    .isFalse();
        }
    }

    @Test
    void answersFitTheirChecks() {
        System.getLogger(CorpusGeneratorTest.class.getName()).log(System.Logger.Level.INFO, "seed {0}", SEED);
        var corpus = new CorpusGenerator(SEED);
        var scorer = new Scorer();
        for (int i = 0; i < 50_000; i++) {
            Example example = corpus.next();
            if (example.checkable()) {
                assertThat(scorer.correct(example, example.answer()))
                        .as("%s", example)
                        .isTrue();
                assertThat(scorer.correct(example, "no such answer"))
                        .as("%s", example)
                        .isFalse();
            }
            if (example.check() == Check.JSON) {
                assertThat(json.readTree(String.valueOf(example.answer().content()))
                                .isContainer())
                        .isTrue();
            }
            checkCalls(example);
            checkText(Samples.render(example));
        }
    }

    private void checkCalls(Example example) {
        for (Message message : example.messages()) {
            if (message instanceof AssistantMessage answer) {
                answer.toolCalls().forEach(call -> checkCall(call, example.tools()));
            }
        }
    }

    private void checkCall(ToolCall call, List<ToolDefinition> tools) {
        ToolDefinition tool = tools.stream()
                .filter(candidate -> candidate.name().equals(call.name()))
                .findFirst()
                .orElseThrow();
        JsonNode arguments = json.readTree(call.arguments());
        JsonNode properties = tool.parameters().get("properties");
        assertThat(call.id()).matches("[a-zA-Z0-9]{9}");
        assertThat(arguments.propertyNames()).containsExactlyInAnyOrderElementsOf(properties.propertyNames());
        for (String name : properties.propertyNames()) {
            JsonNode value = arguments.get(name);
            boolean fits = switch (properties.get(name).get("type").asString()) {
                case "string" -> value.isString();
                case "integer" -> value.isInt();
                case "boolean" -> value.isBoolean();
                default -> false;
            };
            assertThat(fits).as("%s of %s", name, call).isTrue();
        }
    }

    private static void checkText(String text) {
        assertThat(Normalizer.isNormalized(text, Normalizer.Form.NFC)).as(text).isTrue();
        text.chars().filter(c -> CHARACTERS.indexOf(c) < 0).forEach(c -> {
            throw new AssertionError("seed " + SEED + ": character " + Character.getName(c) + " in " + text);
        });
        assertThat(text).doesNotContain("null", "  ?").doesNotContainPattern("\\{\\d}");
    }

    @Test
    void reportsTheLengthOfExamples() {
        var corpus = new CorpusGenerator(SEED);
        var sizes = new TreeMap<String, long[]>();
        for (int i = 0; i < 20_000; i++) {
            Example example = corpus.next();
            long[] entry = sizes.computeIfAbsent(example.skill(), _ -> new long[2]);
            entry[0]++;
            entry[1] += Samples.render(example).length();
        }
        var log = System.getLogger(CorpusGeneratorTest.class.getName());
        sizes.forEach((skill, entry) -> {
            log.log(System.Logger.Level.INFO, "{0}: {1} characters an example", skill, entry[1] / entry[0]);
            assertThat(entry[1] / entry[0]).as(skill).isBetween(30L, 600L);
        });
    }
}

package dev.mixtral.train.corpus;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/// Decides which prompts are kept out of training, and serves them for scores.
///
/// One prompt of fifty is reserved, by a hash of what the user says. A training example must not hold a reserved
/// prompt anywhere: neither as its whole conversation nor as one of its turns. Questions about the model itself are
/// so few that keeping some back would only leave gaps: they are never reserved.
public final class HeldOut {
    private static final int ONE_OF = 50;
    private static final int ATTEMPTS_PER_EXAMPLE = 1_000;
    private static final long SEED = 0x48656C644F7574L;

    /// Turns shorter than this without a digit ("And in German?") only count together with the turns before them.
    private static final int SHORTEST_OWN_PROMPT = 20;

    private HeldOut() {}

    /// Returns whether training must not see this example.
    public static boolean isReserved(Example example) {
        List<String> texts = example.userTexts();
        for (String text : texts) {
            if (standsAlone(text) && reserved(text)) {
                return true;
            }
        }
        return reserved(String.join("\n", texts));
    }

    /// Returns up to `n` reserved examples of a skill with different prompts, always the same ones.
    ///
    /// Skills with few prompts give fewer than `n`; skills that are taught in full give none.
    ///
    /// @param skill one of [CorpusGenerator#skills()]
    public static List<Example> examples(String skill, int n) {
        Skill source = Skills.byName(skill);
        var rng = new Rng(SEED ^ hash(skill));
        var found = new ArrayList<Example>();
        var seen = new HashSet<String>();
        for (int i = 0; i < n * ATTEMPTS_PER_EXAMPLE && found.size() < n; i++) {
            Example example = source.draw(rng);
            if (isReserved(example) && seen.add(String.join("\n", example.userTexts()))) {
                found.add(example);
            }
        }
        return List.copyOf(found);
    }

    private static boolean standsAlone(String text) {
        return text.length() >= SHORTEST_OWN_PROMPT || text.chars().anyMatch(c -> c >= '0' && c <= '9');
    }

    private static boolean reserved(String text) {
        return Long.remainderUnsigned(Rng.mix(hash(text)), ONE_OF) == 0 && !AboutItself.asks(text);
    }

    /// FNV-1a over UTF-16 units.
    static long hash(String text) {
        long hash = 0xCBF29CE484222325L;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100000001B3L;
        }
        return hash;
    }
}

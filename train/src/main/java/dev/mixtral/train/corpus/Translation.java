package dev.mixtral.train.corpus;

import java.util.List;

/// Translation in all twenty directions among five languages, by request or by system prompt.
final class Translation implements Skill {
    private static final List<String> REQUESTS = List.of(
            "Translate to {0}: {1}",
            "Translate into {0}: {1}",
            "Translate to {0}: {1}",
            "Translate from {2} to {0}: {1}",
            "Please translate this into {0}: {1}",
            "How do you say this in {0}? {1}",
            "Say this in {0}: {1}",
            "{1}\nTranslate this into {0}.");
    private static final List<String> SYSTEMS = List.of(
            "Translate everything the user writes into {0}.",
            "You are a translator. Answer only in {0}.", "You translate {2} into {0}.", "Translate to {0}.");

    /// Requests in the target language itself, in the order of [Language].
    private static final List<String> OWN_REQUESTS = List.of(
            "Translate into English: {0}",
            "Traduis en français : {0}",
            "Übersetze ins Deutsche: {0}",
            "Traduce al español: {0}",
            "Traduci in italiano: {0}");

    @Override
    public String name() {
        return "translation";
    }

    @Override
    public Example draw(Rng rng) {
        Language from = language(rng);
        Language to = rng.pickOther(Language.ALL, from);
        Sentences.Saying saying = Sentences.any(rng);
        String source = saying.in(from);
        String target = saying.in(to);
        int style = rng.below(10);
        if (style < 2) {
            String system = Text.fill(rng.pick(SYSTEMS), to.english(), source, from.english());
            return Example.of(name(), Check.EXACT, system, source, target);
        }
        return Example.of(name(), Check.EXACT, request(rng, from, to, source), target);
    }

    /// Returns a request to translate, mostly worded in English.
    static String request(Rng rng, Language from, Language to, String source) {
        return rng.chance(12)
                ? Text.fill(OWN_REQUESTS.get(to.column()), source)
                : Text.fill(rng.pick(REQUESTS), to.english(), source, from.english());
    }

    /// Returns a language; English twice as often as each other.
    static Language language(Rng rng) {
        return rng.chance(17) ? Language.ENGLISH : rng.pick(Language.ALL);
    }
}

package dev.mixtral.train.corpus;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// An endless stream of training examples, a function of its seed. Confined to one thread.
///
/// ```java
/// var corpus = new CorpusGenerator(42);
/// Example example = corpus.next();
/// ```
public final class CorpusGenerator {
    private final Rng rng;
    private final List<Skills.Weighted> skills;
    private final int totalWeight;

    /// Makes a generator with the default weights.
    public CorpusGenerator(long seed) {
        this(seed, Map.of());
    }

    /// Makes a generator whose weights differ from the default for some skills.
    ///
    /// @param weights skill to weight; 0 leaves a skill out; skills that are not named keep their default
    /// @throws IllegalArgumentException for an unknown skill or a negative weight, or if nothing is left
    public CorpusGenerator(long seed, Map<String, Integer> weights) {
        rng = new Rng(Rng.mix(seed));
        new TreeMap<>(weights).forEach((skill, weight) -> {
            Skills.byName(skill);
            if (weight < 0) {
                throw new IllegalArgumentException("weight of " + skill + ": 0 or more expected, got " + weight);
            }
        });
        skills = Skills.all().stream()
                .map(entry -> new Skills.Weighted(
                        entry.skill(), weights.getOrDefault(entry.skill().name(), entry.weight())))
                .filter(entry -> entry.weight() > 0)
                .toList();
        totalWeight = skills.stream().mapToInt(Skills.Weighted::weight).sum();
        if (totalWeight == 0) {
            throw new IllegalArgumentException("every skill has weight 0: nothing to generate");
        }
    }

    /// Returns the names of all skills, in a fixed order.
    public static List<String> skills() {
        return Skills.all().stream().map(entry -> entry.skill().name()).toList();
    }

    /// Returns the next training example; never one that [HeldOut] reserves.
    public Example next() {
        Skill skill = pickSkill();
        Example example = skill.draw(rng);
        while (HeldOut.isReserved(example)) {
            example = skill.draw(rng);
        }
        return example;
    }

    /// Returns the endless stream of [#next()]; to be read in order.
    public Stream<Example> stream() {
        return Stream.generate(this::next);
    }

    private Skill pickSkill() {
        int ticket = rng.below(totalWeight);
        for (Skills.Weighted entry : skills) {
            ticket -= entry.weight();
            if (ticket < 0) {
                return entry.skill();
            }
        }
        throw new AssertionError("ticket beyond the total weight");
    }
}

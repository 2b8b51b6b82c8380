package dev.mixtral.train.finetune;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.format.MixtralConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/// Which matrices of a model get an adapter: names of groups, of matrices, or patterns over whole names.
///
/// | word | matrices |
/// |---|---|
/// | `attention` | q_proj, k_proj, v_proj, o_proj |
/// | `experts` | w1, w2, w3 of every expert; gate_proj, up_proj, down_proj of a dense model |
/// | `router` | gate |
/// | `all-linear` | all of these |
/// | a last name, `q_proj` | the matrices of that name |
/// | anything else | a regular expression that whole names match: `model\.layers\.[01]\..*` |
public final class TargetModules {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_-]+");

    private TargetModules() {}

    /// A matrix that can get an adapter.
    ///
    /// @param name its module in Hugging Face's Mixtral before Transformers 5
    public record Module(String name, int out, int in) {
        String lastName() {
            return name.substring(name.lastIndexOf('.') + 1);
        }
    }

    /// Returns every matrix of a model that can get an adapter, in the order of the forward pass.
    static List<Module> all(MixtralConfig config) {
        List<Module> modules = new ArrayList<>();
        for (int layer = 0; layer < config.numLayers(); layer++) {
            String attention = "model.layers." + layer + ".self_attn.";
            modules.add(new Module(attention + "q_proj", config.queryDim(), config.dim()));
            modules.add(new Module(attention + "k_proj", config.kvDim(), config.dim()));
            modules.add(new Module(attention + "v_proj", config.kvDim(), config.dim()));
            modules.add(new Module(attention + "o_proj", config.dim(), config.queryDim()));
            if (!config.isDense()) {
                modules.add(new Module(router(layer), config.numExperts(), config.dim()));
            }
            for (int expert = 0; expert < config.numExperts(); expert++) {
                modules.add(new Module(w1(config, layer, expert), config.ffnDim(), config.dim()));
                modules.add(new Module(w3(config, layer, expert), config.ffnDim(), config.dim()));
                modules.add(new Module(w2(config, layer, expert), config.dim(), config.ffnDim()));
            }
        }
        return modules;
    }

    static String router(int layer) {
        return "model.layers." + layer + ".block_sparse_moe.gate";
    }

    static String w1(MixtralConfig config, int layer, int expert) {
        return expert(config, layer, expert, "w1", "gate_proj");
    }

    static String w2(MixtralConfig config, int layer, int expert) {
        return expert(config, layer, expert, "w2", "down_proj");
    }

    static String w3(MixtralConfig config, int layer, int expert) {
        return expert(config, layer, expert, "w3", "up_proj");
    }

    private static String expert(MixtralConfig config, int layer, int expert, String sparse, String dense) {
        String prefix = "model.layers." + layer + ".";
        return config.isDense()
                ? prefix + "mlp." + dense
                : prefix + "block_sparse_moe.experts." + expert + "." + sparse;
    }

    /// Returns the matrices that some words choose, in the order of the forward pass.
    ///
    /// @throws InvalidRequestException if a word chooses none
    public static List<Module> choose(MixtralConfig config, List<String> words) {
        List<Module> all = all(config);
        Set<Module> chosen = new LinkedHashSet<>();
        for (String word : words) {
            Predicate<Module> predicate = predicate(word);
            List<Module> found = all.stream().filter(predicate).toList();
            if (found.isEmpty()) {
                throw new InvalidRequestException(
                        "targets",
                        "targets: '" + word + "' matches no matrix of this model; expected attention, experts, router,"
                                + " all-linear, one of " + lastNames(all) + ", or a pattern over names such as "
                                + all.getFirst().name());
            }
            chosen.addAll(found);
        }
        return all.stream().filter(chosen::contains).toList();
    }

    private static Predicate<Module> predicate(String word) {
        return switch (word) {
            case "attention" -> module -> module.name().contains(".self_attn.");
            case "router" -> module -> module.lastName().equals("gate");
            case "experts" ->
                module -> module.name().contains(".experts.") || module.name().contains(".mlp.");
            case "all-linear" -> _ -> true;
            default ->
                PLAIN.matcher(word).matches() ? module -> module.lastName().equals(word) : pattern(word);
        };
    }

    private static Predicate<Module> pattern(String word) {
        try {
            Pattern pattern = Pattern.compile(word);
            return module -> pattern.matcher(module.name()).matches();
        } catch (PatternSyntaxException e) {
            throw new InvalidRequestException(
                    "targets", "targets: '" + word + "' is no pattern: " + e.getDescription());
        }
    }

    private static String lastNames(List<Module> modules) {
        return modules.stream().map(Module::lastName).distinct().collect(Collectors.joining(", "));
    }

    /// Returns the shortest list that PEFT understands as the same choice: last names where all matrices of that name
    /// are chosen, whole names otherwise.
    static List<String> peftNames(MixtralConfig config, List<Module> chosen) {
        Map<String, Long> total = count(all(config));
        Map<String, Long> count = count(chosen);
        boolean whole =
                count.entrySet().stream().allMatch(entry -> entry.getValue().equals(total.get(entry.getKey())));
        return whole
                ? count.keySet().stream().sorted().toList()
                : chosen.stream().map(Module::name).toList();
    }

    private static Map<String, Long> count(List<Module> modules) {
        return modules.stream()
                .collect(Collectors.groupingBy(Module::lastName, LinkedHashMap::new, Collectors.counting()));
    }
}

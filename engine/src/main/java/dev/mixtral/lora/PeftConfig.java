package dev.mixtral.lora;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.error.UnsupportedModelException;
import dev.mixtral.format.io.JsonObject;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `adapter_config.json`, as PEFT's `LoraConfig` has it.
///
/// @param ranks ranks of modules that have another than [LoraConfig#rank()], by the ends of their names
/// @param alphas the same for the weight
/// @param targetParameters parameters that are adapted by themselves: fused experts
record PeftConfig(
        String file,
        LoraConfig config,
        Map<String, Integer> ranks,
        Map<String, Float> alphas,
        List<String> targetParameters) {
    private static final JsonMapper MAPPER = new JsonMapper();

    /// Options that say nothing about what is computed once an adapter is trained, or that are read here.
    private static final Set<String> HARMLESS = Set.of(
            "alpha_pattern",
            "auto_mapping",
            "base_model_name_or_path",
            "bias",
            "corda_config",
            "ensure_weight_tying",
            "eva_config",
            "exclude_modules",
            "inference_mode",
            "init_lora_weights",
            "layers_pattern",
            "layers_to_transform",
            "loftq_config",
            "lora_alpha",
            "lora_dropout",
            "lora_ga_config",
            "megatron_config",
            "megatron_core",
            "peft_type",
            "peft_version",
            "qalora_group_size",
            "r",
            "rank_pattern",
            "revision",
            "runtime_config",
            "target_modules",
            "target_parameters",
            "task_type",
            "use_dora",
            "use_rslora");

    /// Initialisations that leave the base model as it is; others move a part of it into the adapter.
    private static final Set<String> PLAIN_INITIALISATIONS = Set.of("gaussian", "eva", "orthogonal");

    /// What makes a key of a pattern more than a name.
    private static final String REGEX_CHARACTERS = "*+?[](){}|\\^$";

    /// Reads and checks a configuration.
    static PeftConfig read(JsonObject json) {
        String type = json.string("peft_type").orElse("");
        if (!type.equals("LORA")) {
            throw new UnsupportedModelException(json.file() + ": `peft_type`: LORA is supported, got '" + type + "'.");
        }
        refuseOptions(json);
        Map<String, Integer> ranks = new LinkedHashMap<>();
        Map<String, Float> alphas = new LinkedHashMap<>();
        json.object("rank_pattern")
                .ifPresent(pattern -> pattern.keys()
                        .forEach(
                                key -> ranks.put(name(json, key), checkRank(json, key, pattern.requiredInteger(key)))));
        json.object("alpha_pattern")
                .ifPresent(pattern -> pattern.keys()
                        .forEach(key -> alphas.put(
                                name(json, key),
                                finite(json, key, pattern.number(key).orElse(0)))));
        double dropout = json.number("lora_dropout").orElse(0);
        if (dropout < 0 || dropout >= 1) {
            throw new ModelFormatException(json.file(), "`lora_dropout`: 0 to below 1 expected, got " + dropout);
        }
        LoraConfig config = new LoraConfig(
                checkRank(json, "r", json.integer("r").orElse(8)),
                finite(json, "lora_alpha", json.number("lora_alpha").orElse(8)),
                (float) dropout,
                json.bool("use_rslora").orElse(false),
                json.bool("use_dora").orElse(false),
                // A pattern, or "all-linear": the tensors say which modules those were.
                json.isString("target_modules") ? List.of() : json.strings("target_modules"),
                json.string("base_model_name_or_path").orElse(""));
        return new PeftConfig(json.file(), config, ranks, alphas, json.strings("target_parameters"));
    }

    private static int checkRank(JsonObject json, String key, int rank) {
        if (rank < 1) {
            throw new ModelFormatException(json.file(), "`" + key + "`: a rank of at least 1 expected, got " + rank);
        }
        return rank;
    }

    private static float finite(JsonObject json, String key, double alpha) {
        if (!Float.isFinite((float) alpha)) {
            throw new ModelFormatException(json.file(), "`" + key + "`: a 32-bit number expected, got " + alpha);
        }
        return (float) alpha;
    }

    private static String name(JsonObject json, String key) {
        boolean anchored = key.startsWith("^");
        String name = anchored ? key.substring(1) : key;
        if (name.isEmpty() || name.chars().anyMatch(c -> REGEX_CHARACTERS.indexOf(c) >= 0)) {
            throw new UnsupportedModelException(json.file() + ": the pattern key `" + key + "` is a regular expression."
                    + " Names, or ends of names, are supported: write one for each module.");
        }
        return key;
    }

    private static void refuseOptions(JsonObject json) {
        if (!json.string("bias").orElse("none").equals("none")) {
            throw refused(json, "bias", "trained biases");
        }
        if (json.isString("init_lora_weights")
                && !PLAIN_INITIALISATIONS.contains(
                        json.string("init_lora_weights").orElse(""))) {
            throw refused(
                    json,
                    "init_lora_weights",
                    "an initialisation that changes the base model, unless the adapter was converted when it was saved"
                            + " (path_initial_model_for_weight_conversion),");
        }
        for (String key : new TreeSet<>(json.keys())) {
            if (!HARMLESS.contains(key) && !json.isUnset(key)) {
                throw refused(json, key, "this option");
            }
        }
    }

    private static UnsupportedModelException refused(JsonObject json, String key, String what) {
        return new UnsupportedModelException(json.file() + ": `" + key + "` is set, and " + what
                + " is not supported. Train without it, or merge the adapter with PEFT.");
    }

    /// Returns the rank of a module.
    int rank(String module) {
        return match(ranks, module, config.rank());
    }

    /// Makes the scaling of the whole adapter right for a module that has its own.
    ///
    /// @param b the module's second factor
    void scale(String module, float[] b) {
        float own = LoraConfig.scaling(match(alphas, module, config.alpha()), rank(module), config.rsLora());
        if (own == config.scaling()) {
            return;
        }
        if (config.scaling() == 0) {
            throw new UnsupportedModelException(file + ": `lora_alpha` is 0, but `alpha_pattern` is not.");
        }
        for (int i = 0; i < b.length; i++) {
            b[i] = b[i] * (own / config.scaling());
        }
    }

    /// PEFT takes the first key that is the name, or the end of it behind a dot.
    private static <T> T match(Map<String, T> pattern, String module, T otherwise) {
        for (Map.Entry<String, T> entry : pattern.entrySet()) {
            String key = entry.getKey();
            boolean matches = key.startsWith("^")
                    ? module.equals(key.substring(1))
                    : module.equals(key) || module.endsWith("." + key);
            if (matches) {
                return entry.getValue();
            }
        }
        return otherwise;
    }

    LoraConfig withTargets(List<String> targets) {
        return new LoraConfig(
                config.rank(),
                config.alpha(),
                config.dropout(),
                config.rsLora(),
                config.dora(),
                targets,
                config.baseModel());
    }

    /// Returns what names end with, each once, in alphabetical order.
    static List<String> lastWords(Collection<String> names) {
        TreeSet<String> words = new TreeSet<>();
        names.forEach(name -> words.add(name.substring(name.lastIndexOf('.') + 1)));
        return List.copyOf(words);
    }

    /// Returns the text of `adapter_config.json`: the members of PEFT's `LoraConfig`, in alphabetical order as PEFT
    /// writes them.
    static String write(LoraAdapter adapter) {
        LoraConfig config = adapter.config();
        ObjectNode node = MAPPER.createObjectNode();
        ObjectNode alphas = MAPPER.createObjectNode();
        ObjectNode ranks = MAPPER.createObjectNode();
        new TreeMap<>(adapter.modules()).forEach((module, weights) -> {
            if (weights.rank() != config.rank()) {
                ranks.put(module, weights.rank());
                // One scaling holds for all modules.
                put(alphas, module, alphaFor(config, weights.rank()));
            }
        });
        node.set("alpha_pattern", alphas);
        node.putNull("auto_mapping");
        node.put("base_model_name_or_path", config.baseModel().isEmpty() ? null : config.baseModel());
        node.put("bias", "none");
        node.putNull("corda_config").putNull("eva_config").putNull("exclude_modules");
        node.put("fan_in_fan_out", false).put("inference_mode", true).put("init_lora_weights", true);
        node.putNull("layer_replication").putNull("layers_pattern").putNull("layers_to_transform");
        node.set("loftq_config", MAPPER.createObjectNode());
        put(node, "lora_alpha", config.alpha());
        node.put("lora_bias", false);
        put(node, "lora_dropout", config.dropout());
        node.putNull("megatron_config").put("megatron_core", "megatron.core").putNull("modules_to_save");
        node.put("peft_type", "LORA").put("r", config.rank());
        node.set("rank_pattern", ranks);
        node.putNull("revision");
        ArrayNode targets = node.putArray("target_modules");
        List<String> words =
                config.targetModules().isEmpty() ? lastWords(adapter.modules().keySet()) : config.targetModules();
        words.forEach(targets::add);
        node.put("task_type", "CAUSAL_LM").putNull("trainable_token_indices");
        node.put("use_dora", config.dora()).put("use_rslora", config.rsLora());
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n";
    }

    private static float alphaFor(LoraConfig config, int rank) {
        return (float) (config.scaling() * (config.rsLora() ? Math.sqrt(rank) : rank));
    }

    private static void put(ObjectNode node, String key, float value) {
        if (value == Math.rint(value) && Math.abs(value) < 1 << 24) {
            node.put(key, (int) value);
        } else {
            node.put(key, Double.parseDouble(Float.toString(value)));
        }
    }
}

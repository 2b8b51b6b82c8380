package dev.mixtral.cli;

import dev.mixtral.server.config.ConfigKey;
import dev.mixtral.server.config.ConfigKeys;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// The options of `serve`: one for each thing that can be configured, under its name.
final class ServeOptions {
    /// Shorter names, those of the program's other commands among them.
    private static final Map<ConfigKey<?>, List<String>> SHORT = Map.of(
            ConfigKeys.MODEL_ALIASES, List.of("--alias"),
            ConfigKeys.API_KEYS_FILE, List.of("--api-key-file"),
            ConfigKeys.MAX_NUM_SEQS, List.of("--max-seqs"),
            ConfigKeys.CONTEXT_TOKENS, List.of("--context"),
            ConfigKeys.KV_CACHE_TYPE, List.of("--kv"));

    private ServeOptions() {}

    /// Gives a command its options.
    static void addTo(CommandSpec command) {
        for (ConfigKey<?> key : ConfigKeys.ALL) {
            command.addOption(option(key));
        }
    }

    private static <T> OptionSpec option(ConfigKey<T> key) {
        List<String> names = new ArrayList<>(SHORT.getOrDefault(key, List.of()));
        names.add(key.flag());
        String text = key.type().write(key.defaultValue());
        boolean isFlag = key.defaultValue() instanceof Boolean;
        OptionSpec.Builder option = OptionSpec.builder(names.toArray(String[]::new))
                // An option of this type takes only `true` and `false`, and leaves a model behind it alone.
                .type(isFlag ? Boolean.class : key.type().takesSeveral() ? List.class : String.class)
                .auxiliaryTypes(isFlag ? Boolean.class : String.class)
                // A secret's flag is known only to be refused with a reason; models are the command's arguments too.
                .hidden(key.isSecret() || key.equals(ConfigKeys.MODELS))
                .arity(isFlag ? "0..1" : "1")
                .paramLabel(isFlag ? "true|false" : "VALUE")
                .description(key.description().replace("%", "%%")
                        + (text.isEmpty() ? "" : " Default: " + text.replace("%", "%%") + "."));
        return (isFlag ? option.fallbackValue("true") : option).build();
    }

    /// Returns what the command line sets, by the names of the keys.
    static Map<String, String> given(ParseResult parsed) {
        Map<String, String> values = new LinkedHashMap<>();
        for (ConfigKey<?> key : ConfigKeys.ALL) {
            if (parsed.hasMatchedOption(key.flag())) {
                values.put(key.name(), text(parsed.<Object>matchedOptionValue(key.flag(), "")));
            }
        }
        return values;
    }

    /// What takes several values may be given several times, too.
    private static String text(Object value) {
        return value instanceof List<?> values
                ? values.stream().map(String::valueOf).collect(Collectors.joining(","))
                : String.valueOf(value);
    }
}

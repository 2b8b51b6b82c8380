package dev.mixtral.cli;

import dev.mixtral.cli.OptionChecks.UsageException;
import dev.mixtral.server.config.ConfigException;
import dev.mixtral.server.config.ConfigFile;
import dev.mixtral.train.finetune.FinetuneKey;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// The options of `finetune`: one for each setting, under its name.
final class FinetuneOptions {
    private FinetuneOptions() {}

    /// Gives a command its options.
    static void addTo(CommandSpec command) {
        for (FinetuneKey key : FinetuneKey.values()) {
            command.addOption(option(key));
        }
    }

    private static OptionSpec option(FinetuneKey key) {
        boolean isFlag = key.expected().equals("true or false");
        String text = key.meaning() + "; " + key.expected() + "."
                + (key.defaultText().isEmpty() ? "" : " Default: " + key.defaultText() + ".");
        OptionSpec.Builder option = OptionSpec.builder(flag(key))
                .type(key.takesSeveral() ? List.class : String.class)
                .arity(isFlag ? "0..1" : key.takesSeveral() ? "1..*" : "1")
                .paramLabel(isFlag ? "true|false" : "VALUE")
                .description(Character.toUpperCase(text.charAt(0))
                        + text.substring(1).replace("%", "%%"));
        if (key.takesSeveral()) {
            option.auxiliaryTypes(String.class).splitRegex(key == FinetuneKey.TARGETS ? "," : "");
        }
        return (isFlag ? option.fallbackValue("true") : option).build();
    }

    private static String flag(FinetuneKey key) {
        return "--" + key.key();
    }

    /// Returns what file and command line set, the command line first.
    ///
    /// @param file a YAML mapping from names to values, or `null`
    static Map<String, List<String>> given(ParseResult parsed, @Nullable Path file) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        if (file != null) {
            try {
                ConfigFile.read(file).forEach((name, entry) -> {
                    if (FinetuneKey.find(name).isEmpty()) {
                        throw new UsageException(file + ":" + entry.line() + ": there is no setting '" + name
                                + "'; there are " + String.join(", ", FinetuneKey.keys()));
                    }
                    values.put(name, entry.texts());
                });
            } catch (ConfigException e) {
                throw new UsageException(String.valueOf(e.getMessage()));
            }
        }
        Arrays.stream(FinetuneKey.values())
                .filter(key -> parsed.hasMatchedOption(flag(key)))
                .forEach(key -> values.put(key.key(), value(parsed, key)));
        return values;
    }

    private static List<String> value(ParseResult parsed, FinetuneKey key) {
        return key.takesSeveral()
                ? parsed.matchedOptionValue(flag(key), List.of())
                : List.of(parsed.matchedOptionValue(flag(key), ""));
    }
}

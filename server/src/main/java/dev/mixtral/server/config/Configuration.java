package dev.mixtral.server.config;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What was set, merged from flags, environment, file and defaults, in this order of precedence. Immutable.
public final class Configuration {
    /// The variable that names the configuration file where no flag does.
    public static final String FILE_VARIABLE = ConfigKey.ENVIRONMENT_PREFIX + "CONFIG";

    /// Read by the launcher and the command line, not by the server.
    private static final Set<String> OTHER_VARIABLES = Set.of(FILE_VARIABLE, "MIXTRAL_DEBUG", "MIXTRAL_JAVA_OPTS");

    /// Kubernetes puts these into every pod beside a service whose name begins with `mixtral`.
    private static final Pattern SERVICE_LINK =
            Pattern.compile("MIXTRAL_(\\w+_)?(SERVICE_HOST|SERVICE_PORT(_\\w+)?|PORT_\\d+_(TCP|UDP)(_\\w+)?)");

    private static final Pattern SERVICE_URL = Pattern.compile("(tcp|udp)://.*");

    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private record Entry(List<String> texts, Source source) {}

    private Configuration() {}

    /// Reads and merges everything.
    ///
    /// @param flags texts of the flags, by the names of their keys
    /// @param environment all variables of the process; others than `MIXTRAL_…` are not looked at
    /// @param file the configuration file, or `null` for the one that `MIXTRAL_CONFIG` names, if it does
    /// @throws ConfigException if there is an unknown name or an impossible value anywhere, also where a source of
    ///     higher precedence hides it
    public static Configuration load(Map<String, String> flags, Map<String, String> environment, @Nullable Path file) {
        Configuration configuration = new Configuration();
        Path chosen = file != null ? file : fileOf(environment);
        if (chosen != null) {
            configuration.addFile(chosen);
        }
        configuration.addEnvironment(environment);
        configuration.addFlags(flags);
        return configuration;
    }

    private static @Nullable Path fileOf(Map<String, String> environment) {
        String path = environment.getOrDefault(FILE_VARIABLE, "");
        return path.isBlank() ? null : Path.of(path);
    }

    private void addFile(Path path) {
        ConfigFile.read(path).forEach((name, entry) -> {
            Source source = new Source.File(path, entry.line());
            ConfigKey<?> key = ConfigKeys.find(name)
                    .orElseThrow(() -> new ConfigException(
                            source + ": there is no setting '" + name + "'." + suggestion(name, ConfigKeys.names())));
            if (entry.isList() && !key.type().takesSeveral()) {
                throw new ConfigException(
                        source + ": " + name + ": expected " + key.type().expected() + ", got a list");
            }
            put(
                    key,
                    entry.isList()
                            ? entry.texts()
                            : key.type().split(entry.texts().getFirst()),
                    source);
        });
    }

    private void addEnvironment(Map<String, String> environment) {
        new TreeMap<>(environment).forEach((name, text) -> {
            boolean concernsUs = name.startsWith(ConfigKey.ENVIRONMENT_PREFIX)
                    && !OTHER_VARIABLES.contains(name)
                    && !SERVICE_LINK.matcher(name).matches();
            // Compose files and unit files set variables to nothing where they mean "not set".
            if (concernsUs && !text.isBlank()) {
                addVariable(name, text);
            }
        });
    }

    private void addVariable(String name, String text) {
        List<String> known =
                ConfigKeys.ALL.stream().map(ConfigKey::environmentName).toList();
        ConfigKey<?> key = ConfigKeys.ALL.stream()
                .filter(each -> each.environmentName().equals(name))
                .findFirst()
                .orElseThrow(() -> new ConfigException(
                        "environment: there is no setting for the variable " + name + "." + suggestion(name, known)));
        if (SERVICE_URL.matcher(text).matches()) {
            throw new ConfigException("environment " + name + ": expected "
                    + key.type().expected() + ", got " + text + ". Kubernetes sets this variable for a service whose"
                    + " name begins with 'mixtral'; put 'enableServiceLinks: false' into the pod's spec.");
        }
        put(key, key.type().split(text), new Source.Environment(name));
    }

    private void addFlags(Map<String, String> flags) {
        flags.forEach((name, text) -> {
            ConfigKey<?> key = ConfigKeys.find(name)
                    .orElseThrow(() -> new ConfigException(
                            "there is no flag --" + name + "." + suggestion(name, ConfigKeys.names())));
            if (key.isSecret()) {
                throw new ConfigException("a secret cannot be a flag, which everybody on this machine can see: set "
                        + key.environmentName() + ", or " + name + " in the configuration file, instead of "
                        + key.flag());
            }
            put(key, key.type().split(text), new Source.Flag(key.flag()));
        });
    }

    /// Keeps what the last, strongest source says.
    private void put(ConfigKey<?> key, List<String> texts, Source source) {
        try {
            key.type().read(texts);
        } catch (IllegalArgumentException e) {
            String got = key.isSecret() ? "something else" : "'" + String.join(",", texts) + "'";
            throw new ConfigException(
                    source + ": " + key.name() + ": expected " + key.type().expected() + ", got " + got);
        }
        entries.put(key.name(), new Entry(texts, source));
    }

    private static String suggestion(String name, List<String> names) {
        Optional<String> nearest = NearestName.of(name, names);
        return nearest.map(other -> " Did you mean " + other + "?")
                .orElse(" 'mixtral serve --help' lists what there is.");
    }

    /// Returns the value of a key.
    public <T> T get(ConfigKey<T> key) {
        Entry entry = entries.get(key.name());
        return entry == null ? key.defaultValue() : key.type().read(entry.texts());
    }

    /// Returns where the value of a key came from.
    public Source source(ConfigKey<?> key) {
        Entry entry = entries.get(key.name());
        return entry == null ? new Source.Default() : entry.source();
    }

    /// Returns everything as a configuration file that says where each value came from. Secrets are only counted.
    public String toYaml() {
        StringBuilder yaml = new StringBuilder();
        ConfigKeys.ALL.forEach(key -> yaml.append(line(key)));
        return yaml.toString();
    }

    private <T> String line(ConfigKey<T> key) {
        String comment = "  # " + source(key) + "\n";
        Entry entry = entries.get(key.name());
        if (key.isSecret()) {
            int number = entry == null ? 0 : entry.texts().size();
            return "# " + key.name() + ": " + number + " not shown" + comment;
        }
        if (key.type().takesSeveral()) {
            List<String> texts = entry == null ? List.of() : entry.texts();
            return key.name() + ": " + texts.stream().map(YamlText::quote).toList() + comment;
        }
        return key.name() + ": " + YamlText.plain(key.type().write(get(key))) + comment;
    }
}

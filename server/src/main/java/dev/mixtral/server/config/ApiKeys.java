package dev.mixtral.server.config;

import dev.mixtral.server.ApiKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// Reads API keys: `SECRET`, or `NAME SECRET [MODEL…]`, parted by blanks. Messages never show a secret.
final class ApiKeys {
    private static final Pattern BLANKS = Pattern.compile("\\s+");
    private static final Pattern VISIBLE_ASCII = Pattern.compile("[!-~]+");

    private final List<ApiKey> keys = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private final Set<String> secrets = new HashSet<>();

    private ApiKeys() {}

    /// Reads the keys of a configuration.
    ///
    /// @throws ConfigException if a key is malformed or appears twice, or the file of keys cannot be read
    static List<ApiKey> of(Configuration configuration) {
        ApiKeys result = new ApiKeys();
        String source = configuration.source(ConfigKeys.API_KEYS).toString();
        configuration.get(ConfigKeys.API_KEYS).forEach(text -> result.add(text, source));
        String file = configuration.get(ConfigKeys.API_KEYS_FILE);
        if (!file.isEmpty()) {
            result.addFile(Path.of(file));
        }
        return List.copyOf(result.keys);
    }

    private void addFile(Path path) {
        List<String> lines;
        try {
            lines = Files.readAllLines(path);
        } catch (IOException e) {
            throw new ConfigException("api-keys-file: cannot read " + path + ": " + e);
        }
        int before = keys.size();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (!line.isEmpty() && !line.startsWith("#")) {
                add(line, path + ":" + (i + 1));
            }
        }
        // An empty file would silently open the server to everybody.
        if (keys.size() == before) {
            throw new ConfigException("api-keys-file: there is no key in " + path + ". Put one in, or take the setting"
                    + " out to let everybody in.");
        }
    }

    private void add(String text, String source) {
        List<String> words = List.of(BLANKS.split(text.strip()));
        String name = words.size() == 1 ? "key-" + (keys.size() + 1) : words.get(0);
        String secret = words.size() == 1 ? words.get(0) : words.get(1);
        if (!VISIBLE_ASCII.matcher(secret).matches()) {
            throw new ConfigException(source + ": the key " + name + " has letters that no HTTP header can carry."
                    + " Use visible ASCII characters.");
        }
        if (!names.add(name) || !secrets.add(secret)) {
            throw new ConfigException(source + ": there are two keys named " + name + ", or with its secret.");
        }
        keys.add(new ApiKey(name, secret, Set.copyOf(words.subList(Math.min(2, words.size()), words.size()))));
    }
}

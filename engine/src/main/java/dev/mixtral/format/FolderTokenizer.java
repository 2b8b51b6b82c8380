package dev.mixtral.format;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.Checkpoint.NamedTemplate;
import dev.mixtral.format.io.JsonObject;
import dev.mixtral.format.io.StrictJson;
import dev.mixtral.format.io.StrictText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Finds tokenizer, end of sequence and chat templates in the folder of a checkpoint.
final class FolderTokenizer {
    private static final List<String> VERSIONED_SUFFIXES = List.of(".model.v3", ".model.v2", ".model.v1");

    private final Path folder;
    private final int vocabSize;

    FolderTokenizer(Path folder, int vocabSize) {
        this.folder = folder;
        this.vocabSize = vocabSize;
    }

    /// Prefers SentencePiece: of the two variants of `tokenizer.json` in circulation, one splits texts differently.
    Optional<TokenizerSource> source() {
        Path model = folder.resolve("tokenizer.model");
        if (Files.isRegularFile(model)) {
            return Optional.of(new TokenizerSource.SentencePieceFile(model));
        }
        List<Path> files = files();
        for (String suffix : VERSIONED_SUFFIXES) {
            for (Path file : files) {
                if (file.getFileName().toString().endsWith(suffix)) {
                    return Optional.of(new TokenizerSource.SentencePieceFile(file));
                }
            }
        }
        Path json = folder.resolve("tokenizer.json");
        return Files.isRegularFile(json) ? Optional.of(new TokenizerSource.TokenizerJsonFile(json)) : Optional.empty();
    }

    /// Returns `eos_token_id` of the first of `generation_config.json` and `config.json` that has one.
    List<Integer> eosTokenIds() {
        for (String name : List.of("generation_config.json", "config.json")) {
            Optional<JsonObject> json = json(name);
            if (json.isPresent() && json.get().has("eos_token_id")) {
                List<Integer> ids = json.get().integers("eos_token_id");
                ids.forEach(id -> checkId(json.get(), id));
                return ids;
            }
        }
        return List.of();
    }

    /// Returns the templates of `tokenizer_config.json`; a file `chat_template.jinja` takes the place of the default.
    List<NamedTemplate> chatTemplates() {
        List<NamedTemplate> templates = new ArrayList<>();
        Path file = folder.resolve("chat_template.jinja");
        boolean hasFile = Files.isRegularFile(file);
        if (hasFile) {
            templates.add(new NamedTemplate("default", StrictText.read(file)));
        }
        for (NamedTemplate template : configuredTemplates()) {
            boolean isDefault = template.name().equals("default");
            if (!isDefault) {
                templates.add(template);
            } else if (!hasFile) {
                templates.addFirst(template);
            }
        }
        return List.copyOf(templates);
    }

    private List<NamedTemplate> configuredTemplates() {
        Optional<JsonObject> json = json("tokenizer_config.json");
        if (json.isEmpty()) {
            return List.of();
        }
        if (json.get().isString("chat_template")) {
            return List.of(new NamedTemplate(
                    "default", json.get().string("chat_template").orElseThrow()));
        }
        return json.get().objects("chat_template").stream()
                .map(template -> new NamedTemplate(required(template, "name"), required(template, "template")))
                .toList();
    }

    private static String required(JsonObject object, String key) {
        return object.string(key)
                .orElseThrow(
                        () -> new ModelFormatException(object.file(), "a chat template without `" + key + "`", null));
    }

    private Optional<JsonObject> json(String name) {
        Path file = folder.resolve(name);
        return Files.isRegularFile(file) ? Optional.of(StrictJson.readObject(file)) : Optional.empty();
    }

    private void checkId(JsonObject json, int id) {
        if (id < 0 || id >= vocabSize) {
            throw new ModelFormatException(
                    json.file(), "`eos_token_id` is " + id + ", 0 to " + (vocabSize - 1) + " expected", null);
        }
    }

    private List<Path> files() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder + ": " + e.getMessage(), e);
        }
    }
}

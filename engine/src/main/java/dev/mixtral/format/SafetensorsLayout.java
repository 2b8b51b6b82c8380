package dev.mixtral.format;

import dev.mixtral.format.io.JsonObject;
import dev.mixtral.format.io.StrictJson;
import java.nio.file.Path;

/// The two layouts of a folder with safetensors.
enum SafetensorsLayout {
    /// `config.json` and `model*.safetensors`.
    HUGGING_FACE("config.json", "model", RopeLayout.HALF_SPLIT),
    /// `params.json` and `consolidated*.safetensors`.
    MISTRAL("params.json", "consolidated", RopeLayout.INTERLEAVED);

    private final String configName;
    private final String stem;
    private final RopeLayout ropeLayout;

    SafetensorsLayout(String configName, String stem, RopeLayout ropeLayout) {
        this.configName = configName;
        this.stem = stem;
        this.ropeLayout = ropeLayout;
    }

    Path config(Path folder) {
        return folder.resolve(configName);
    }

    Path singleFile(Path folder) {
        return folder.resolve(stem + ".safetensors");
    }

    Path index(Path folder) {
        return folder.resolve(stem + ".safetensors.index.json");
    }

    RopeLayout ropeLayout() {
        return ropeLayout;
    }

    WeightNames names() {
        return switch (this) {
            case HUGGING_FACE -> WeightNames.HUGGING_FACE;
            case MISTRAL -> WeightNames.MISTRAL;
        };
    }

    Architecture readConfig(Path config) {
        JsonObject json = StrictJson.readObject(config);
        return switch (this) {
            case HUGGING_FACE -> HfConfig.read(json);
            case MISTRAL -> MistralParams.read(json);
        };
    }
}

package dev.mixtral.engine;

import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.ModelNotFoundException;
import dev.mixtral.format.Checkpoint;
import dev.mixtral.lora.LoraAdapter;
import dev.mixtral.lora.LoraDeltas;
import dev.mixtral.model.Adapter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The adapters of an engine, by name. Thread-safe.
final class Adapters {
    private final Checkpoint checkpoint;
    private final Map<String, Adapter> byName = new TreeMap<>();

    /// @param checkpoint the model that they are for
    Adapters(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /// Prepares an adapter and makes it known.
    ///
    /// @throws InvalidRequestException if the name is empty or taken, or the adapter is one of another model
    void add(String name, LoraAdapter adapter) {
        checkName(name);
        Adapter prepared =
                Adapter.of(LoraDeltas.fit(adapter, checkpoint.config(), checkpoint.ropeLayout()), checkpoint);
        synchronized (byName) {
            checkName(name); // somebody else may have been faster
            byName.put(name, prepared);
        }
    }

    private void checkName(String name) {
        synchronized (byName) {
            if (name.isBlank() || byName.containsKey(name)) {
                throw new InvalidRequestException(
                        "adapter",
                        name.isBlank()
                                ? "An adapter needs a name."
                                : "There is an adapter called " + name + " already. Unload it first, or choose"
                                        + " another name.");
            }
        }
    }

    /// Forgets an adapter; what is being generated with it goes on.
    ///
    /// @return whether there was one of that name
    boolean remove(String name) {
        synchronized (byName) {
            return byName.remove(name) != null;
        }
    }

    /// Returns all names, in alphabetical order.
    List<String> names() {
        synchronized (byName) {
            return List.copyOf(byName.keySet());
        }
    }

    /// Returns the adapter of a request.
    ///
    /// @param name empty for the model itself, which is `null`
    /// @throws ModelNotFoundException if there is none of that name
    @Nullable
    Adapter find(String name) {
        if (name.isEmpty()) {
            return null;
        }
        synchronized (byName) {
            Adapter adapter = byName.get(name);
            if (adapter == null) {
                throw new ModelNotFoundException("There is no adapter called " + name + "; there are: "
                        + (byName.isEmpty() ? "none" : String.join(", ", byName.keySet())) + ".");
            }
            return adapter;
        }
    }
}

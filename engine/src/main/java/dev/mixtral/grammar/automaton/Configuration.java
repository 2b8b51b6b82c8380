package dev.mixtral.grammar.automaton;

import dev.mixtral.grammar.regex.Partition;
import dev.mixtral.sampling.TokenMask;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Everything the parser knows at one place of a text: which lexemes are being read or may begin, and whether the
/// text may end. Immutable as far as anyone can see; what it remembers is filled in under the machine's lock.
public final class Configuration {
    final List<Item> items;
    final boolean accepting;
    /// Whether the configuration remembers a text, so that it will hardly be seen again.
    final boolean isTransient;

    volatile @Nullable TokenMask mask;
    volatile @Nullable Steps steps;
    /// By item: the configuration when its lexeme ends at once; filled only for items without a text.
    final @Nullable Configuration[] afterItem;

    Configuration(List<Item> items, boolean accepting) {
        this.items = items;
        this.accepting = accepting;
        this.isTransient = items.stream().anyMatch(Item::isTransient);
        this.afterItem = new @Nullable Configuration[items.size()];
    }

    /// Returns whether the text may end here.
    public boolean isAccepting() {
        return accepting;
    }

    /// Returns whether the text can only end here.
    public boolean isEnd() {
        return accepting && items.isEmpty();
    }

    /// The known steps, by class of the next byte.
    static final class Steps {
        /// What stands for a step that leads nowhere.
        static final Configuration DEAD = new Configuration(List.of(), false);

        final Partition partition;
        final @Nullable Configuration[] targets;

        Steps(Partition partition) {
            this.partition = partition;
            this.targets = new @Nullable Configuration[partition.size()];
        }

        @Nullable
        Configuration get(int value) {
            return targets[partition.classOf(value)];
        }

        void set(int value, Configuration target) {
            targets[partition.classOf(value)] = target;
        }
    }
}

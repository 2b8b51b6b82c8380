package dev.mixtral.grammar.automaton;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.automaton.Configuration.Steps;
import dev.mixtral.grammar.regex.Partition;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.sampling.TokenMask;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A grammar at work over one vocabulary: configurations, the steps between them, and their masks, all made when
/// first needed and remembered. Thread-safe: what is known is read without a lock.
public final class Machine {
    /// Beyond so many configurations everything remembered is dropped; sequences keep what they hold.
    private static final int MAX_CONFIGURATIONS = 20_000;

    private static final int MAX_MASKS = 2_000;
    /// New expressions, counted by their parts, and new configurations that one call may make.
    private static final int FUEL = 600_000;

    private record ConfigurationKey(List<Item> items, boolean accepting) {}

    private record StackKey(boolean bottom, List<Stack.Frame> frames) {}

    private final RegexPool pool;
    private final VocabularyIndex vocabulary;
    private final LexemeMask.Finder finder;
    private final Configuration start;

    // Guarded by this.
    private final Map<ConfigurationKey, Configuration> configurations = new HashMap<>();
    private final Map<StackKey, Stack> stacks = new HashMap<>();
    private final Map<Regex, LexemeMask> lexemeMasks = new HashMap<>();
    private final Map<TokenMask, TokenMask> masks = new HashMap<>();
    private final Map<Configuration, TokenMask> firstMasks = new HashMap<>();
    private int fuel;

    /// @param pool the pool of the grammar's expressions, given up to the machine
    /// @param plainCharacter the expression for any character of a JSON string, see
    ///     [dev.mixtral.grammar.regex.TextForm#anyCharacter()]
    /// @param root the outermost rule
    public Machine(RegexPool pool, VocabularyIndex vocabulary, Regex plainCharacter, Rule root) {
        this.pool = pool;
        this.vocabulary = vocabulary;
        this.finder = new LexemeMask.Finder(pool, vocabulary, plainCharacter);
        refuel(FUEL);
        this.start = after(root.start(), Stack.BOTTOM);
    }

    private void refuel(int work) {
        fuel = work;
        pool.refuel(work);
    }

    /// Does something on a budget.
    private <T> T spending(Budget budget, Supplier<T> work) {
        int given = (int) Math.min(FUEL, budget.left());
        refuel(given);
        T result = work.get();
        budget.spend(2L * given - fuel - pool.fuel());
        return result;
    }

    /// Returns how many expressions the machine holds; it grows with what texts bring, such as the keys of
    /// objects.
    public synchronized int size() {
        return pool.size();
    }

    /// Returns the place before the text.
    public Configuration start() {
        return start;
    }

    /// Returns the vocabulary.
    public VocabularyIndex vocabulary() {
        return vocabulary;
    }

    /// Returns the configuration after a byte, or null if no text goes on so.
    ///
    /// @throws GrammarException if that takes more than the budget, or than one step may
    public @Nullable Configuration step(Configuration from, int value, Budget budget) {
        Steps steps = from.steps;
        Configuration known = steps == null ? null : steps.get(value);
        if (known == null) {
            synchronized (this) {
                known = spending(budget, () -> makeStep(from, value));
            }
        }
        return known == Steps.DEAD ? null : known;
    }

    /// Returns the tokens after which the text can still be completed, the end token included where it may end.
    ///
    /// @throws GrammarException if that takes more than the budget, or than one mask may
    public TokenMask mask(Configuration at, Budget budget) {
        TokenMask known = at.mask;
        if (known == null) {
            synchronized (this) {
                known = spending(budget, () -> intern(makeMask(at)));
                at.mask = known;
            }
        }
        return known;
    }

    /// Returns the mask at the beginning of a text whose first space the decoder drops.
    public synchronized TokenMask firstMask(Configuration at, Budget budget) {
        TokenMask whole = mask(at, budget);
        return firstMasks.computeIfAbsent(at, key -> spending(budget, () -> makeFirstMask(key, whole)));
    }

    private TokenMask makeFirstMask(Configuration at, TokenMask whole) {
        long[] words = whole.words();
        long[] spaced = vocabulary.beginsWithSpace();
        for (int i = 0; i < words.length; i++) {
            words[i] &= ~spaced[i];
        }
        TokenTrie all = vocabulary.all();
        int space = all.child(' ');
        if (space >= 0 && !at.items.isEmpty()) {
            all.mark(space, words);
            walk(at, all, space, words);
        }
        return new TokenMask(vocabulary.vocabSize(), words);
    }

    private TokenMask intern(TokenMask mask) {
        if (masks.size() > MAX_MASKS) {
            masks.clear();
        }
        TokenMask known = masks.putIfAbsent(mask, mask);
        return known == null ? mask : known;
    }

    private Configuration makeStep(Configuration from, int value) {
        Steps steps = from.steps;
        if (steps == null && !from.isTransient) {
            steps = new Steps(partition(from));
            from.steps = steps;
        }
        Configuration known = steps == null ? null : steps.get(value);
        if (known != null) {
            return known;
        }
        Closure closure = new Closure(pool, this::stack);
        for (Item item : from.items) {
            Regex rest = pool.step(item.rest(), value);
            if (rest.isNothing()) {
                continue;
            }
            Item moved = item.with(rest, value);
            if (rest.nullable()) {
                closure.enter(moved.target(new byte[0]), item.stack());
            }
            if (rest != pool.epsilon()) {
                closure.add(moved);
            }
        }
        Configuration made = close(closure);
        if (steps != null && !made.isTransient) {
            steps.set(value, made);
        }
        return made;
    }

    private Partition partition(Configuration of) {
        Partition meet = Partition.ONE;
        for (Item item : of.items) {
            meet = meet.meet(pool.partition(item.rest()));
        }
        // A text that is remembered tells all bytes apart.
        boolean tellsBytesApart = of.items.stream().anyMatch(item -> item.capture() != null);
        return tellsBytesApart ? Partition.EACH : meet;
    }

    private Configuration after(State state, Stack stack) {
        Closure closure = new Closure(pool, this::stack);
        closure.enter(state, stack);
        return close(closure);
    }

    private Configuration close(Closure closure) {
        List<Item> items = closure.finish();
        if (items.isEmpty() && !closure.accepting()) {
            return Steps.DEAD;
        }
        if (--fuel < 0) {
            throw new GrammarException(
                    Reason.TOO_LARGE, "", "", "the grammar is too ambiguous to follow within the limit; simplify it");
        }
        Configuration made = new Configuration(items, closure.accepting());
        if (made.isTransient) {
            return made;
        }
        if (configurations.size() > MAX_CONFIGURATIONS) {
            configurations.clear();
            stacks.clear();
            lexemeMasks.clear();
        }
        Configuration known = configurations.putIfAbsent(new ConfigurationKey(items, made.accepting), made);
        return known == null ? made : known;
    }

    private Stack stack(boolean bottom, List<Stack.Frame> frames) {
        if (frames.isEmpty()) {
            return Stack.BOTTOM;
        }
        return stacks.computeIfAbsent(new StackKey(bottom, frames), key -> new Stack(bottom, frames));
    }

    private TokenMask makeMask(Configuration at) {
        long[] words = new long[vocabulary.numWords()];
        for (int i = 0; i < at.items.size(); i++) {
            Item item = at.items.get(i);
            LexemeMask lexeme = lexemeMasks.computeIfAbsent(finder.representative(item.rest()), finder::find);
            lexeme.orInto(words);
            for (int exit : lexeme.exits()) {
                walk(afterItem(at, i, lexeme.trie(), exit), lexeme.trie(), exit, words);
            }
        }
        if (at.accepting) {
            words[vocabulary.eosId() >>> 6] |= 1L << vocabulary.eosId();
        }
        return new TokenMask(vocabulary.vocabSize(), words);
    }

    private Configuration afterItem(Configuration at, int index, TokenTrie trie, int exit) {
        Item item = at.items.get(index);
        if (item.capture() != null) {
            return after(item.target(trie.path(exit)), item.stack());
        }
        Configuration known = at.afterItem[index];
        if (known == null) {
            known = after(item.target(new byte[0]), item.stack());
            at.afterItem[index] = known;
        }
        return known;
    }

    /// Marks the tokens below a node that go on from a configuration.
    private void walk(Configuration from, TokenTrie trie, int top, long[] words) {
        Configuration[] path = new Configuration[vocabulary.maxBytes() + 1];
        path[trie.depth(top)] = from;
        int node = top + 1;
        while (node < trie.end(top)) {
            int depth = trie.depth(node);
            Configuration after = makeStep(path[depth - 1], trie.value(node));
            if (after == Steps.DEAD) {
                node = trie.end(node);
                continue;
            }
            path[depth] = after;
            trie.mark(node, words);
            node++;
        }
    }

    /// Returns the only byte that may come next, or -1 if there are several or the text may end.
    public int forcedByte(Configuration at) {
        if (at.accepting) {
            return -1;
        }
        int forced = -1;
        synchronized (this) {
            refuel(FUEL);
            for (Item item : at.items) {
                for (int value = 0; value < 256; value++) {
                    if (value != forced && !pool.step(item.rest(), value).isNothing()) {
                        if (forced >= 0) {
                            return -1;
                        }
                        forced = value;
                    }
                }
            }
        }
        return forced;
    }

    /// Returns the tokens that may follow, each tried byte by byte: what [#mask(Configuration)] must be equal to.
    public TokenMask bruteForceMask(Configuration at) {
        long[] words = new long[vocabulary.numWords()];
        Budget budget = Budget.full();
        for (int id = 0; id < vocabulary.vocabSize(); id++) {
            byte[] text = vocabulary.bytes(id);
            Configuration state = text.length == 0 ? null : at;
            for (int i = 0; i < text.length && state != null; i++) {
                state = step(state, text[i] & 0xff, budget);
            }
            budget.refill();
            if (state != null || (id == vocabulary.eosId() && at.accepting)) {
                words[id >>> 6] |= 1L << id;
            }
        }
        return new TokenMask(vocabulary.vocabSize(), words);
    }
}

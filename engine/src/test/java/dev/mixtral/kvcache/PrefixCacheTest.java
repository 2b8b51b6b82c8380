package dev.mixtral.kvcache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PrefixCacheTest {
    private static final int SIZE = KvLayout.BLOCK_SIZE;

    private final BlockPool pool = new BlockPool(10);
    private final PrefixCache cache = new PrefixCache(pool);
    private final int[] text = IntStream.range(0, 4 * SIZE).toArray();

    private static List<BlockHash> hashes(int[] tokens) {
        List<BlockHash> hashes = new ArrayList<>();
        BlockHash hash = BlockHash.ROOT;
        for (int from = 0; from + SIZE <= tokens.length; from += SIZE) {
            hash = hash.next(tokens, from);
            hashes.add(hash);
        }
        return hashes;
    }

    /// Caches the first blocks of the text, in blocks 0, 1, ...
    private void cacheFull(int count) {
        for (int i = 0; i < count; i++) {
            BlockHash parent = i == 0 ? BlockHash.ROOT : hashes(text).get(i - 1);
            cache.addFull(i, hashes(text).get(i), parent, text, i * SIZE);
        }
    }

    private PrefixMatch find(int[] tokens) {
        return cache.find(tokens, tokens.length - 1, BlockHash.ROOT, hashes(tokens));
    }

    @Test
    void fullBlocksAreSharedAndTheLastTokenIsLeft() {
        cacheFull(3);
        PrefixMatch match = find(Arrays.copyOf(text, 3 * SIZE));
        assertThat(match.sharedBlocks()).containsExactly(0, 1);
        assertThat(match.partialBlock()).isEqualTo(2);
        assertThat(match.numTokens()).isEqualTo(3 * SIZE - 1);
    }

    @Test
    void theBeginningOfABlockIsOfUse() {
        cacheFull(3);
        int[] other = Arrays.copyOf(text, 3 * SIZE);
        other[SIZE + 20] = 999;
        PrefixMatch match = find(other);
        assertThat(match.sharedBlocks()).containsExactly(0);
        assertThat(match.partialBlock()).isEqualTo(1);
        assertThat(match.numTokens()).isEqualTo(SIZE + 20);
    }

    @Test
    void equalTokensBehindOtherTokensAreNoMatch() {
        cacheFull(3);
        int[] other = text.clone();
        other[0] = 999;
        assertThat(find(other).numTokens()).isZero();
    }

    @Test
    void whatASequenceLeftUnfilledIsOfUseToo() {
        cacheFull(1);
        cache.addPartial(5, hashes(text).getFirst(), text, SIZE, SIZE + 30);
        PrefixMatch match = find(Arrays.copyOf(text, SIZE + 40));
        assertThat(match.partialBlock()).isEqualTo(5);
        assertThat(match.numTokens()).isEqualTo(SIZE + 30);
        // A few tokens are not worth a copy, and nobody remembers them.
        cache.addPartial(6, BlockHash.ROOT, new int[] {7, 8, 9}, 0, 3);
        assertThat(cache.contains(6)).isFalse();
    }

    @Test
    void aLongerBlockReplacesItsOwnBeginning() {
        cache.addPartial(5, BlockHash.ROOT, text, 0, 20);
        cache.addPartial(6, BlockHash.ROOT, text, 0, 30);
        assertThat(cache.contains(5)).isFalse();
        cache.addPartial(7, BlockHash.ROOT, text, 0, 25);
        assertThat(cache.contains(7)).isFalse();
        cacheFull(1);
        assertThat(cache.contains(6)).isFalse();
        assertThat(cache.contains(0)).isTrue();
    }

    @Test
    void aBlockThatIsForgottenEndsTheMatchBeforeIt() {
        cacheFull(3);
        cache.forget(1);
        PrefixMatch match = find(text);
        assertThat(match.sharedBlocks()).containsExactly(0);
        assertThat(match.hasPartial()).isFalse();
        cacheFull(3);
        assertThat(find(text).sharedBlocks()).containsExactly(0, 1, 2);
    }

    @Test
    void equalTokensBehindAnotherRootAreNoMatch() {
        cacheFull(2);
        cache.addPartial(5, BlockHash.ROOT, text, 0, 30);
        BlockHash root = BlockHash.root(new byte[] {1, 2, 3});
        BlockHash first = root.next(text, 0);
        assertThat(cache.find(text, SIZE + 30, root, List.of(first)).numTokens())
                .isZero();
        cache.addFull(7, first, root, text, 0);
        assertThat(cache.find(text, SIZE + 30, root, List.of(first)).sharedBlocks())
                .containsExactly(7);
        assertThat(find(text).sharedBlocks()).startsWith(0, 1);
    }
}

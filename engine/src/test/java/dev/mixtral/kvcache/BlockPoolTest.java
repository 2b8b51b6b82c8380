package dev.mixtral.kvcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class BlockPoolTest {
    private final BlockPool pool = new BlockPool(4);

    @Test
    void blocksWithoutContentComeFirstThenTheLeastRecentlyUsed() {
        int a = pool.allocate();
        int b = pool.allocate();
        int c = pool.allocate();
        pool.release(b, true);
        pool.release(a, true);
        pool.release(c, false);
        assertThat(pool.allocate()).isEqualTo(c);
        assertThat(pool.allocate()).isEqualTo(3); // never used
        assertThat(pool.allocate()).isEqualTo(b);
        assertThat(pool.allocate()).isEqualTo(a);
        assertThat(pool.numFree()).isZero();
        assertThatThrownBy(pool::allocate)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("all 4 blocks");
    }

    @Test
    void useMovesABlockToTheEndOfTheOrder() {
        int a = pool.allocate();
        int b = pool.allocate();
        pool.release(a, true);
        pool.release(b, true);
        pool.retain(a);
        pool.release(a, true);
        pool.allocate();
        pool.allocate();
        assertThat(pool.allocate()).isEqualTo(b);
    }

    @Test
    void aDiscardedBlockIsGivenOutFirst() {
        int a = pool.allocate();
        int b = pool.allocate();
        pool.release(a, true);
        pool.release(b, true);
        pool.discard(b);
        assertThat(pool.allocate()).isEqualTo(b);
        pool.discard(b); // in use: nothing to do
        assertThat(pool.references(b)).isEqualTo(1);
    }

    @Test
    void usersAreCounted() {
        int block = pool.allocate();
        pool.retain(block);
        assertThat(pool.references(block)).isEqualTo(2);
        pool.release(block, true);
        assertThat(pool.numFree()).isEqualTo(3);
        pool.release(block, true);
        assertThat(pool.numFree()).isEqualTo(4);
        assertThatThrownBy(() -> pool.release(block, true))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("released more often");
    }
}

package dev.mixtral.kvcache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.tensor.FloatMatrix;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class KvStorageTest {
    private static final KvLayout LAYOUT = new KvLayout(2, 1, 4, KvType.F32);

    @Test
    void viewsSeeTheBlocksTheyWereGiven() {
        try (KvStorage storage = new KvStorage(LAYOUT, 5);
                KvCache first = new KvCache(storage);
                KvCache second = new KvCache(storage)) {
            first.appendBlock(3);
            first.appendBlock(1);
            second.appendBlock(1);
            FloatMatrix row = new FloatMatrix(1, 4);
            row.data()[2] = 42;
            first.write(1, KvLayout.BLOCK_SIZE + 5, row, row, 0);
            assertThat(second.block(5).mismatch(first.block(KvLayout.BLOCK_SIZE + 5)))
                    .isEqualTo(-1);
            long value = LAYOUT.valueOffset(1, 0, 5) + 2 * Float.BYTES;
            assertThat(second.block(5).get(ValueLayout.JAVA_FLOAT, value)).isEqualTo(42);
            storage.copy(1, 4);
            assertThat(storage.block(4).get(ValueLayout.JAVA_FLOAT, value)).isEqualTo(42);
            assertThat(storage.block(3).get(ValueLayout.JAVA_FLOAT, value)).isZero();
            assertThat(first.blockAddresses().getAtIndex(ValueLayout.JAVA_LONG, 1))
                    .isEqualTo(storage.block(1).address());
        }
    }

    @Test
    void aViewNeitherGrowsByItselfNorOwnsItsMemory() {
        try (KvStorage storage = new KvStorage(LAYOUT, 2)) {
            KvCache view = new KvCache(storage);
            view.appendBlock(0);
            view.ensureCapacity(KvLayout.BLOCK_SIZE);
            assertThatThrownBy(() -> view.ensureCapacity(KvLayout.BLOCK_SIZE + 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("1 blocks were given");
            view.clearBlocks();
            assertThat(view.numBlocks()).isZero();
            view.close();
            assertThat(storage.block(0).byteSize()).isEqualTo(LAYOUT.blockBytes());
        }
    }
}

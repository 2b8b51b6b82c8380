package dev.mixtral.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.kvcache.KvLayout;
import dev.mixtral.scheduler.SchedulerOutput.BlockCopy;
import dev.mixtral.scheduler.SchedulerOutput.Chunk;
import java.util.Arrays;
import java.util.List;

/// Stands for model and memory: the "keys" of a position are a hash of all tokens up to it, computed from the keys of
/// the position before, which are read from the block that the scheduler says they are in. So any block that is lost,
/// given away too early or shared by mistake makes wrong tokens.
final class BlockWorld {
    private static final int VOCAB = 50;

    private final long[][] memory;

    BlockWorld(int numBlocks) {
        memory = new long[numBlocks][KvLayout.BLOCK_SIZE];
    }

    /// Returns the `count` tokens that follow a prompt, computed without blocks.
    static int[] expected(int[] prompt, int count) {
        long key = 0;
        for (int token : prompt) {
            key = next(key, token);
        }
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = sample(key);
            key = next(key, tokens[i]);
        }
        return tokens;
    }

    private static long next(long key, int token) {
        long mixed = (key + token + 1) * 0x9e3779b97f4a7c15L;
        return mixed ^ (mixed >>> 29);
    }

    private static int sample(long key) {
        return (int) Math.floorMod(key, (long) VOCAB);
    }

    /// Runs a forward pass, and returns the token after each chunk.
    int[] run(SchedulerOutput output, List<SchedulerRequest> holders) {
        for (BlockCopy copy : output.copies()) {
            memory[copy.to()] = memory[copy.from()].clone();
        }
        int[] sampled = new int[output.chunks().size()];
        for (int i = 0; i < sampled.length; i++) {
            Chunk chunk = output.chunks().get(i);
            long key = compute(chunk, holders);
            sampled[i] = chunk.samples() ? sample(key) : Scheduler.NO_TOKEN;
        }
        return sampled;
    }

    private long compute(Chunk chunk, List<SchedulerRequest> holders) {
        SchedulerRequest request = chunk.request();
        long key = chunk.firstPosition() == 0 ? 0 : key(request, chunk.firstPosition() - 1);
        for (int i = 0; i < chunk.numTokens(); i++) {
            int position = chunk.firstPosition() + i;
            int block = request.block(position / KvLayout.BLOCK_SIZE);
            long users = holders.stream().filter(other -> holds(other, block)).count();
            assertThat(users).describedAs("users of a block that is written").isEqualTo(1);
            key = next(key, request.token(position));
            memory[block][position % KvLayout.BLOCK_SIZE] = key;
        }
        return key;
    }

    private long key(SchedulerRequest request, int position) {
        return memory[request.block(position / KvLayout.BLOCK_SIZE)][position % KvLayout.BLOCK_SIZE];
    }

    private static boolean holds(SchedulerRequest request, int block) {
        for (int i = 0; i < request.numBlocks(); i++) {
            if (request.block(i) == block) {
                return true;
            }
        }
        return false;
    }

    /// Checks that a request's blocks hold what was computed.
    void check(SchedulerRequest request) {
        long key = 0;
        for (int position = 0; position < request.numComputedTokens(); position++) {
            key = next(key, request.token(position));
            if (key(request, position) != key) {
                throw new AssertionError("position " + position + " of " + request.numTokens() + " is not what it was: "
                        + Arrays.toString(request.tokens()));
            }
        }
    }
}

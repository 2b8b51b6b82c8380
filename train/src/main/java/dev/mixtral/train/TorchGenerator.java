package dev.mixtral.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/// Greedy generation through the autograd model: no cache, each token costs a whole forward pass, but prompts of
/// similar length run together. Padding behind a sequence is invisible to it, attention being causal.
public final class TorchGenerator implements TextGenerator {
    private static final int MAX_ROWS = 32;

    private final TorchMixtral model;
    private final int eosId;

    /// @param eosId ends an answer
    public TorchGenerator(TorchMixtral model, int eosId) {
        this.model = model;
        this.eosId = eosId;
    }

    @Override
    public int[] generate(int[] prompt, int maxTokens) {
        return generateAll(List.of(prompt), maxTokens).getFirst();
    }

    @Override
    public List<int[]> generateAll(List<int[]> prompts, int maxTokens) {
        List<Integer> byLength = IntStream.range(0, prompts.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> prompts.get(i).length))
                .toList();
        int[][] answers = new int[prompts.size()][];
        for (int from = 0; from < byLength.size(); from += MAX_ROWS) {
            List<Integer> group = byLength.subList(from, Math.min(from + MAX_ROWS, byLength.size()));
            List<Row> rows = group.stream().map(i -> new Row(prompts.get(i))).toList();
            generateGroup(rows, maxTokens);
            for (int i = 0; i < rows.size(); i++) {
                answers[group.get(i)] = rows.get(i).answer();
            }
        }
        return Arrays.asList(answers);
    }

    private void generateGroup(List<Row> rows, int maxTokens) {
        List<Row> open = new ArrayList<>(rows);
        for (int i = 0; i < maxTokens && !open.isEmpty(); i++) {
            int[] next = nextTokens(open);
            List<Row> stillOpen = new ArrayList<>();
            for (int row = 0; row < next.length; row++) {
                if (next[row] != eosId
                        && open.get(row).length() < model.config().contextLength()) {
                    open.get(row).append(next[row]);
                    stillOpen.add(open.get(row));
                }
            }
            open = stillOpen;
        }
    }

    private int[] nextTokens(List<Row> rows) {
        int length = rows.stream().mapToInt(Row::length).max().orElseThrow();
        long[] ids = new long[rows.size() * length];
        long[] last = new long[rows.size()];
        for (int row = 0; row < rows.size(); row++) {
            for (int i = 0; i < length; i++) {
                ids[row * length + i] = i < rows.get(row).length() ? rows.get(row).ids[i] : eosId;
            }
            last[row] = (long) row * length + rows.get(row).length() - 1;
        }
        try (var _ = new PointerScope();
                var _ = new NoGradGuard()) {
            Tensor states = model.forward(ids, rows.size(), length).states();
            float[] logits = Parameters.toArray(model.logits(states.index_select(0, Tensor.create(last))));
            return argmaxPerRow(logits, rows.size());
        }
    }

    private static int[] argmaxPerRow(float[] logits, int rows) {
        int columns = logits.length / rows;
        int[] best = new int[rows];
        for (int row = 0; row < rows; row++) {
            for (int id = 1; id < columns; id++) {
                if (logits[row * columns + id] > logits[row * columns + best[row]]) {
                    best[row] = id;
                }
            }
        }
        return best;
    }

    private static final class Row {
        private final int promptLength;
        private int[] ids;

        Row(int[] prompt) {
            ids = prompt;
            promptLength = prompt.length;
        }

        int length() {
            return ids.length;
        }

        void append(int id) {
            ids = Arrays.copyOf(ids, ids.length + 1);
            ids[ids.length - 1] = id;
        }

        int[] answer() {
            return Arrays.copyOfRange(ids, promptLength, ids.length);
        }
    }
}

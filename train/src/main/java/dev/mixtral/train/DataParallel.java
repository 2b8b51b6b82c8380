package dev.mixtral.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.pytorch.Tensor;

/// Computes the gradients of a batch on several threads, each over its share of the rows.
///
/// Threads of our own beat PyTorch's: its operations are too short to be worth splitting (17,900 against 23,900
/// tokens per second measured on two cores). Each worker owns a replica of the gradients; they are added in the
/// order of the workers, so that the sum does not depend on which thread was faster.
public final class DataParallel implements AutoCloseable {
    private final List<GradientPass> replicas = new ArrayList<>();
    private final ExecutorService executor;

    /// @param pass worker 0, whose parameters receive the summed gradients
    public DataParallel(GradientPass pass, int workers) {
        replicas.add(pass);
        for (int worker = 1; worker < workers; worker++) {
            replicas.add(pass.replica());
        }
        this.executor = Executors.newFixedThreadPool(
                workers, Thread.ofPlatform().name("train-worker-", 0).daemon().factory());
    }

    int workers() {
        return replicas.size();
    }

    /// Adds the gradients of the batch's mean loss to those of worker 0.
    ///
    /// @return with the weighted mean of the losses
    public BatchResult accumulate(Batch batch) {
        return accumulate(batch, new GradientPass.Share(batch.totalWeight(), 1, 0));
    }

    /// Adds the gradients of a part of a step's loss to those of worker 0.
    ///
    /// @return with the batch's share of the step's loss
    public BatchResult accumulate(Batch batch, GradientPass.Share share) {
        List<Future<BatchResult>> pending = new ArrayList<>();
        for (int worker = 0; worker < workers(); worker++) {
            Batch part = batch.rows(firstRow(batch, worker), firstRow(batch, worker + 1));
            if (part.rows() > 0) {
                GradientPass pass = replicas.get(worker);
                var partShare = new GradientPass.Share(
                        share.totalWeight(),
                        share.auxiliary() * part.rows() / batch.rows(),
                        share.seed() == 0 ? 0 : share.seed() + worker);
                pending.add(executor.submit(() -> pass.backward(part, partShare)));
            }
        }
        BatchResult result = sum(pending);
        sumGradients();
        return result;
    }

    /// Returns the sum of a batch's weighted losses, without gradients.
    public BatchResult evaluate(Batch batch) {
        List<Future<BatchResult>> pending = new ArrayList<>();
        for (int worker = 0; worker < workers(); worker++) {
            Batch part = batch.rows(firstRow(batch, worker), firstRow(batch, worker + 1));
            if (part.rows() > 0) {
                GradientPass pass = replicas.get(worker);
                pending.add(executor.submit(() -> pass.evaluate(part)));
            }
        }
        return sum(pending);
    }

    private int firstRow(Batch batch, int worker) {
        return batch.rows() * worker / workers();
    }

    private static BatchResult sum(List<Future<BatchResult>> pending) {
        BatchResult result = join(pending.getFirst());
        for (Future<BatchResult> other : pending.subList(1, pending.size())) {
            result = result.plus(join(other));
        }
        return result;
    }

    private void sumGradients() {
        Tensor sum = replicas.getFirst().parameters().gradients();
        for (GradientPass replica : replicas.subList(1, replicas.size())) {
            Tensor gradients = replica.parameters().gradients();
            sum.add_(gradients);
            gradients.zero_();
        }
    }

    private static BatchResult join(Future<BatchResult> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the workers run", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a training worker failed: " + e.getCause(), e.getCause());
        }
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}

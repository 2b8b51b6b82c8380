package dev.mixtral.server.api;

import dev.mixtral.engine.GenerationEvent;
import dev.mixtral.engine.GenerationEvent.Finished;
import dev.mixtral.server.api.ChatModel.Choice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The events of several generations as one stream. Read by one thread; [#cancel()] may come from any.
///
/// A virtual thread per generation moves its events into a short queue: while that is full, the engine's own buffer
/// fills, and the engine pauses the generation.
final class ChoiceEvents implements AutoCloseable {
    private static final int QUEUE_PER_CHOICE = 16;
    private static final Duration POLL = Duration.ofSeconds(1);

    private final List<Choice> choices;
    private final BlockingQueue<Item> queue;
    private final List<Thread> pumps = new ArrayList<>();

    /// An event of one of the generations, or what made it fail.
    ///
    /// @param choice which generation
    /// @param event what happened, or `null` for a failure
    /// @param failure what was thrown, or `null` for an event
    record Item(
            int choice,
            @Nullable GenerationEvent event,
            @Nullable RuntimeException failure) {}

    ChoiceEvents(List<Choice> choices) {
        this.choices = choices;
        this.queue = new ArrayBlockingQueue<>(QUEUE_PER_CHOICE * choices.size());
        for (int i = 0; i < choices.size(); i++) {
            int index = i;
            pumps.add(Thread.ofVirtual().name("choice-" + i).start(() -> pump(index)));
        }
    }

    private void pump(int index) {
        try (Choice choice = choices.get(index)) {
            GenerationEvent event = null;
            while (!(event instanceof Finished)) {
                event = choice.next(POLL);
                if (event != null) {
                    queue.put(new Item(index, event, null));
                }
            }
        } catch (InterruptedException e) {
            // Nobody reads on.
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            fail(index, e);
        }
    }

    private void fail(int index, RuntimeException failure) {
        try {
            queue.put(new Item(index, null, failure));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Returns the next event, or `null` if none comes within the time.
    ///
    /// @throws RuntimeException what a generation threw
    @Nullable
    Item poll(Duration timeout) throws InterruptedException {
        Item item = queue.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
        if (item != null && item.failure() != null) {
            throw item.failure();
        }
        return item;
    }

    /// Ends all generations soon.
    void cancel() {
        choices.forEach(Choice::cancel);
    }

    /// Ends all generations, and does not wait for them.
    @Override
    public void close() {
        cancel();
        pumps.forEach(Thread::interrupt);
    }
}

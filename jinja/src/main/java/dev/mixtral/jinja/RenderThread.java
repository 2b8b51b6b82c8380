package dev.mixtral.jinja;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The thread of one rendering: what happens there can run out of stack or time without harm elsewhere.
final class RenderThread extends Thread {
    private final RenderScope scope;
    private final Supplier<String> work;
    private volatile @Nullable String result;
    private volatile @Nullable String failure;

    RenderThread(RenderScope scope, Supplier<String> work) {
        super("jinja-render");
        this.scope = scope;
        this.work = work;
        setDaemon(true);
    }

    RenderScope scope() {
        return scope;
    }

    /// Returns the rendered text, or `null` if there is none.
    @Nullable
    String result() {
        return result;
    }

    /// Returns why there is no text, or `null`.
    @Nullable
    String failure() {
        return failure;
    }

    @Override
    public void run() {
        try {
            result = work.get();
        } catch (RenderAbort e) {
            failure = e.getMessage();
        } catch (StackOverflowError e) {
            failure = "it is nested too deeply";
        } catch (RuntimeException e) {
            failure = String.valueOf(e.getMessage());
        }
    }
}

package dev.mixtral.server.batch;

import dev.mixtral.server.api.Exchange;
import dev.mixtral.server.api.RequestHead;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A request of this process to its own API: no socket, and an answer in memory. [#cancel] may come from any thread.
final class MemoryExchange implements Exchange {
    private final RequestHead head;
    private final byte[] body;
    private final List<Runnable> goneActions = new ArrayList<>();
    private boolean gone;
    private int status;
    private Map<String, String> headers = Map.of();
    private byte[] answer = new byte[0];

    MemoryExchange(RequestHead head, byte[] body) {
        this.head = head;
        this.body = body;
    }

    @Override
    public RequestHead head() {
        return head;
    }

    @Override
    public byte[] body() {
        return body;
    }

    @Override
    public synchronized void respond(int answerStatus, Map<String, String> answerHeaders, byte[] bytes) {
        Map<String, String> byName = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        byName.putAll(answerHeaders);
        status = answerStatus;
        headers = byName;
        answer = bytes;
    }

    @Override
    public EventStream startStream(Map<String, String> answerHeaders) {
        throw new IllegalStateException("a request of a batch must not ask for a stream");
    }

    @Override
    public void onGone(Runnable action) {
        synchronized (this) {
            if (!gone) {
                goneActions.add(action);
                return;
            }
        }
        action.run();
    }

    @Override
    public synchronized boolean isGone() {
        return gone;
    }

    /// Ends the request, if it has not been answered, as if its client had gone.
    void cancel() {
        List<Runnable> actions;
        synchronized (this) {
            gone = true;
            actions = List.copyOf(goneActions);
            goneActions.clear();
        }
        actions.forEach(Runnable::run);
    }

    /// Returns the answer's status, or 0 if there is no answer.
    synchronized int status() {
        return status;
    }

    /// Returns a header of the answer as a number, or 0.
    synchronized int header(String name) {
        String value = headers.getOrDefault(name, "");
        return value.matches("[0-9]{1,6}") ? Integer.parseInt(value) : 0;
    }

    /// Returns the answer's body.
    synchronized byte[] answer() {
        return answer.clone();
    }
}

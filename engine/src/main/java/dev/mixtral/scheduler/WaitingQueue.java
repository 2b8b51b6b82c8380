package dev.mixtral.scheduler;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// Requests that wait for their first turn, in a fair order among clients: next comes the client with the fewest
/// running requests; among equals, the one whose last turn is longest ago. Within a client, first come, first served.
///
/// A new client counts as one that just had a turn, so that a stream of new ones does not starve the others. Confined
/// to the scheduler's thread.
final class WaitingQueue {
    private static final class Client {
        private final ArrayDeque<SchedulerRequest> waiting = new ArrayDeque<>();
        private int numRunning;
        private long lastTurn;
    }

    private final Map<String, Client> clients = new HashMap<>();
    private int size;
    private long turns;

    int size() {
        return size;
    }

    void add(SchedulerRequest request) {
        client(request).waiting.addLast(request);
        size++;
    }

    private Client client(SchedulerRequest request) {
        return clients.computeIfAbsent(request.client(), _ -> {
            Client client = new Client();
            client.lastTurn = turns;
            return client;
        });
    }

    /// Returns whose turn is next.
    ///
    /// @param ready whether a request could run now; others are passed over
    Optional<SchedulerRequest> next(Predicate<SchedulerRequest> ready) {
        Client best = null;
        SchedulerRequest next = null;
        for (Client client : clients.values()) {
            if (!client.waiting.isEmpty() && (best == null || comesBefore(client, best))) {
                Optional<SchedulerRequest> first =
                        client.waiting.stream().filter(ready).findFirst();
                if (first.isPresent()) {
                    best = client;
                    next = first.get();
                }
            }
        }
        return Optional.ofNullable(next);
    }

    private static boolean comesBefore(Client client, Client other) {
        if (client.numRunning != other.numRunning) {
            return client.numRunning < other.numRunning;
        }
        if (client.lastTurn != other.lastTurn) {
            return client.lastTurn < other.lastTurn;
        }
        return client.waiting.getFirst().arrival < other.waiting.getFirst().arrival;
    }

    /// Takes a request out, whose turn it is.
    void start(SchedulerRequest request) {
        Client client = client(request);
        client.waiting.remove(request);
        size--;
        client.numRunning++;
        client.lastTurn = ++turns;
    }

    /// Takes a request out that will not run.
    void remove(SchedulerRequest request) {
        Client client = client(request);
        client.waiting.remove(request);
        size--;
        forget(request, client);
    }

    /// Takes note that a request that was started has ended.
    void ended(SchedulerRequest request) {
        Client client = client(request);
        client.numRunning--;
        forget(request, client);
    }

    private void forget(SchedulerRequest request, Client client) {
        if (client.numRunning == 0 && client.waiting.isEmpty()) {
            clients.remove(request.client());
        }
    }
}

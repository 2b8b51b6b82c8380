package dev.mixtral.server.api;

import dev.mixtral.engine.Engine;
import dev.mixtral.server.RequestReport;
import dev.mixtral.server.ServerObserver;
import java.util.List;
import java.util.stream.Collectors;

/// Tells several observers. Thread-safe.
///
/// @param observers who is told, in this order
public record Observers(List<ServerObserver> observers) implements ServerObserver {
    public Observers {
        observers = List.copyOf(observers);
    }

    @Override
    public void modelReady(String id, Engine engine) {
        observers.forEach(observer -> observer.modelReady(id, engine));
    }

    @Override
    public void requestStarted(String requestId, String endpoint) {
        observers.forEach(observer -> observer.requestStarted(requestId, endpoint));
    }

    @Override
    public void requestEnded(RequestReport report) {
        observers.forEach(observer -> observer.requestEnded(report));
    }

    @Override
    public boolean wantsContent() {
        return observers.stream().anyMatch(ServerObserver::wantsContent);
    }

    @Override
    public void content(String requestId, byte[] request, byte[] answer) {
        observers.stream()
                .filter(ServerObserver::wantsContent)
                .forEach(observer -> observer.content(requestId, request, answer));
    }

    @Override
    public String metricsText() {
        return observers.stream().map(ServerObserver::metricsText).collect(Collectors.joining());
    }
}

package dev.mixtral.train.data;

/// Why an example cannot be learned from.
///
/// @param what the place in the example, what was expected and what was found
public record DataFault(Origin origin, String what) {
    @Override
    public String toString() {
        return origin + ": " + what;
    }
}

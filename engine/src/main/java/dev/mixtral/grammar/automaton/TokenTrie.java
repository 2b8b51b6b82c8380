package dev.mixtral.grammar.automaton;

import java.util.Arrays;
import java.util.List;

/// Tokens as a tree of bytes, flat and in depth-first order: the children of node `i` are in `(i, end(i))`, the
/// first is `i + 1`. Node 0 is the root. Immutable and thread-safe.
final class TokenTrie {
    private final byte[] values;
    private final int[] ends;
    private final int[] depths;
    private final int[] parents;
    /// By node: a token that ends there, or -1.
    private final int[] tokens;
    /// By token: another token with the same bytes, or -1.
    private final int[] others;

    private int size;

    /// @param bytes by token; null or empty for tokens that are left out
    /// @param ids the tokens to take
    TokenTrie(List<byte[]> bytes, int[] ids) {
        int[] sorted = Arrays.stream(ids)
                .boxed()
                .sorted((a, b) -> {
                    int order = Arrays.compareUnsigned(bytes.get(a), bytes.get(b));
                    return order != 0 ? order : Integer.compare(a, b);
                })
                .mapToInt(Integer::intValue)
                .toArray();
        int capacity = 1;
        for (int id : sorted) {
            capacity += bytes.get(id).length;
        }
        values = new byte[capacity];
        ends = new int[capacity];
        depths = new int[capacity];
        parents = new int[capacity];
        tokens = new int[capacity];
        others = new int[bytes.size()];
        Arrays.fill(tokens, -1);
        Arrays.fill(others, -1);
        size = 1;
        build(bytes, sorted, 0, sorted.length, 0);
    }

    private void build(List<byte[]> bytes, int[] sorted, int from, int to, int node) {
        int depth = depths[node];
        int i = from;
        while (i < to && bytes.get(sorted[i]).length == depth) {
            others[sorted[i]] = tokens[node];
            tokens[node] = sorted[i++];
        }
        while (i < to) {
            byte value = bytes.get(sorted[i])[depth];
            int last = i;
            while (last < to && bytes.get(sorted[last])[depth] == value) {
                last++;
            }
            int child = size++;
            values[child] = value;
            depths[child] = depth + 1;
            parents[child] = node;
            build(bytes, sorted, i, last, child);
            i = last;
        }
        ends[node] = size;
    }

    int size() {
        return size;
    }

    /// Returns the last byte on the way to a node, 0 to 255.
    int value(int node) {
        return values[node] & 0xff;
    }

    /// Returns the node after the last one below a node.
    int end(int node) {
        return ends[node];
    }

    int depth(int node) {
        return depths[node];
    }

    boolean hasChildren(int node) {
        return ends[node] > node + 1;
    }

    /// Returns a token that ends at a node, or -1.
    int token(int node) {
        return tokens[node];
    }

    /// Sets the bits of all tokens that end at a node.
    void mark(int node, long[] words) {
        for (int id = tokens[node]; id >= 0; id = others[id]) {
            words[id >>> 6] |= 1L << id;
        }
    }

    /// Returns the bytes on the way to a node.
    byte[] path(int node) {
        byte[] path = new byte[depths[node]];
        for (int i = node; i != 0; i = parents[i]) {
            path[depths[i] - 1] = values[i];
        }
        return path;
    }

    /// Returns the child of the root for a byte, or -1.
    int child(int value) {
        for (int node = 1; node < size; node = ends[node]) {
            if (value(node) == value) {
                return node;
            }
        }
        return -1;
    }
}

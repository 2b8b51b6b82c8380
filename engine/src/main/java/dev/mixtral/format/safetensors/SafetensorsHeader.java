package dev.mixtral.format.safetensors;

import dev.mixtral.error.ModelFormatException;
import dev.mixtral.format.io.StrictJson;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// The JSON header of a safetensors file, read as a stream: a header may have 100 MB, and a tree of it many times
/// that.
///
/// @param metadata the `__metadata__` strings
/// @param entries one per tensor, in the order of the header
record SafetensorsHeader(Map<String, String> metadata, List<Entry> entries) {
    private static final int MAX_TENSORS = 1 << 20;
    private static final int MAX_METADATA = 1 << 16;
    private static final int MAX_DIMS = 8;

    /// A tensor as the header describes it.
    ///
    /// @param begin first byte, from the start of the data section; not negative
    /// @param end byte after the last; not less than `begin`
    record Entry(String name, String dtype, long[] shape, long begin, long end) {}

    /// Parses a header.
    ///
    /// @param file where the text comes from, for messages
    /// @throws ModelFormatException if the text is no such header
    static SafetensorsHeader parse(String file, String text) {
        try (JsonParser parser = StrictJson.parser(text)) {
            return new Reader(file, parser).header();
        } catch (JacksonException e) {
            throw StrictJson.broken(file, e);
        }
    }

    /// Walks over the tokens of one header.
    private static final class Reader {
        private final String file;
        private final JsonParser parser;

        Reader(String file, JsonParser parser) {
            this.file = file;
            this.parser = parser;
        }

        SafetensorsHeader header() {
            Map<String, String> metadata = Map.of();
            List<Entry> entries = new ArrayList<>();
            expectNext(JsonToken.START_OBJECT, "the header");
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = parser.currentName();
                if (name.equals("__metadata__")) {
                    metadata = metadata();
                } else {
                    checkLimit(entries.size(), MAX_TENSORS, "tensors");
                    entries.add(entry(name));
                }
            }
            if (parser.nextToken() != null) {
                throw new ModelFormatException(file, "text follows the header's JSON object", null);
            }
            return new SafetensorsHeader(metadata, List.copyOf(entries));
        }

        private Map<String, String> metadata() {
            Map<String, String> metadata = new LinkedHashMap<>();
            expectNext(JsonToken.START_OBJECT, "__metadata__");
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String key = parser.currentName();
                checkLimit(metadata.size(), MAX_METADATA, "strings in __metadata__");
                expectNext(JsonToken.VALUE_STRING, "__metadata__." + key);
                metadata.put(key, parser.getString());
            }
            return metadata;
        }

        private Entry entry(String name) {
            @Nullable String dtype = null;
            long @Nullable [] shape = null;
            long @Nullable [] offsets = null;
            expectNext(JsonToken.START_OBJECT, "tensor " + name);
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                switch (parser.currentName()) {
                    case "dtype" -> {
                        expectNext(JsonToken.VALUE_STRING, name + ".dtype");
                        dtype = parser.getString();
                    }
                    case "shape" -> shape = numbers(name + ".shape");
                    case "data_offsets" -> offsets = numbers(name + ".data_offsets");
                    default -> {
                        // The reference reader ignores what it does not know.
                        parser.nextToken();
                        parser.skipChildren();
                    }
                }
            }
            if (dtype == null || shape == null || offsets == null) {
                throw new ModelFormatException(
                        file, "tensor " + name + " needs `dtype`, `shape` and `data_offsets`", null);
            }
            if (offsets.length != 2 || offsets[0] > offsets[1]) {
                throw new ModelFormatException(
                        file, "tensor " + name + ": `data_offsets` [begin, end] with begin ≤ end expected", null);
            }
            return new Entry(name, dtype, shape, offsets[0], offsets[1]);
        }

        private long[] numbers(String what) {
            long[] numbers = new long[MAX_DIMS];
            int count = 0;
            expectNext(JsonToken.START_ARRAY, what);
            while (parser.nextToken() == JsonToken.VALUE_NUMBER_INT) {
                checkLimit(count, MAX_DIMS, "numbers in " + what);
                numbers[count] = parser.getLongValue();
                if (numbers[count] < 0) {
                    throw new ModelFormatException(file, what + " has the negative number " + numbers[count], null);
                }
                count++;
            }
            if (parser.currentToken() != JsonToken.END_ARRAY) {
                throw new ModelFormatException(file, what + ": whole numbers expected", null);
            }
            return Arrays.copyOf(numbers, count);
        }

        private void checkLimit(int size, int limit, String what) {
            if (size >= limit) {
                throw new ModelFormatException(file, "at most " + limit + " " + what + " expected, got more", null);
            }
        }

        private void expectNext(JsonToken expected, String what) {
            JsonToken token = parser.nextToken();
            if (token != expected) {
                throw new ModelFormatException(file, what + ": " + expected + " expected, got " + token, null);
            }
        }
    }
}

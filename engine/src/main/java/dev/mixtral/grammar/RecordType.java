package dev.mixtral.grammar;

import dev.mixtral.error.AnswerException;
import dev.mixtral.error.GrammarException;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.node.ObjectNode;

/// A record class as the form of an answer: its JSON Schema, and the way from an answer to a record. Immutable and
/// thread-safe.
///
/// | component | JSON |
/// |---|---|
/// | `boolean`, `int` and the other primitives, their boxes, `String`, `BigInteger`, `BigDecimal` | a value in the
/// range of the type |
/// | `LocalDate`, `OffsetDateTime`, `Instant`, `UUID` | a string in the format |
/// | an enum | one of its names |
/// | a record | an object with exactly its components |
/// | a sealed interface of records | an object that begins with `"type"`, the record's simple name |
/// | `List`, `Collection`, an array | an array; `Set`: without repetitions |
/// | `Map` with keys of `String` or an enum | an object |
/// | `Optional` and its likes, or anything `@Nullable` | the value or `null` |
///
/// Every component is written, in the order of the record. Jackson's `@JsonProperty` names a component or an enum's
/// constant, `@JsonPropertyDescription` describes a component to whoever reads the schema. Records may nest and recur.
/// What has no schema of its own, such as `Object`, generic records and other classes, is refused.
///
/// Jackson makes the records: their package must be open to it, or exported with public records. On the class path, all
/// are.
public final class RecordType<T extends Record> {
    private final Class<T> type;
    private final ObjectNode schema;
    private final JsonMapper mapper;

    private RecordType(Class<T> type, RecordSchema derived) {
        this.type = type;
        this.schema = derived.schema();
        SimpleModule unions = new SimpleModule("sealed interfaces");
        derived.unions().forEach((union, members) -> addUnion(unions, union, members));
        this.mapper = JsonMapper.builder()
                .addModule(unions)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .disable(EnumFeature.READ_ENUMS_USING_TO_STRING)
                .disable(DateTimeFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
                .build();
    }

    /// Derives the schema of a record class.
    ///
    /// @throws GrammarException if a component has no schema; the message names it
    public static <T extends Record> RecordType<T> of(Class<T> type) {
        return new RecordType<>(type, RecordSchema.of(type));
    }

    private static <U> void addUnion(SimpleModule module, Class<U> union, Map<String, Class<?>> members) {
        module.addDeserializer(union, new UnionDeserializer<>(union, members));
    }

    /// Returns a copy of the schema, for a prompt that shows it.
    public ObjectNode schema() {
        return schema.deepCopy();
    }

    /// Returns what holds an answer to the schema.
    public Grammar.JsonSchema grammar() {
        return new Grammar.JsonSchema(schema());
    }

    /// Reads a whole answer.
    ///
    /// @throws AnswerException if it is no such record: the grammar did not hold it, or the record's constructor
    ///     refuses its values
    public T read(String text) {
        try {
            return mapper.readValue(text, type);
        } catch (JacksonException e) {
            Throwable root = e;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            String reason = root instanceof JacksonException json ? json.getOriginalMessage() : String.valueOf(root);
            throw new AnswerException("the answer is no " + type.getSimpleName() + ": " + reason, text, e);
        }
    }

    /// Reads an object as the record that its `"type"` names.
    private static final class UnionDeserializer<U> extends ValueDeserializer<U> {
        private final Class<U> union;
        private final Map<String, Class<?>> members;

        UnionDeserializer(Class<U> union, Map<String, Class<?>> members) {
            this.union = union;
            this.members = members;
        }

        @Override
        public U deserialize(tools.jackson.core.JsonParser parser, DeserializationContext context) {
            JsonNode node = context.readTree(parser);
            Class<?> member = members.get(node.path(RecordSchema.TYPE).asString(""));
            if (!(node instanceof ObjectNode object) || member == null) {
                return context.reportInputMismatch(
                        union, "expected an object whose \"type\" is one of %s", members.keySet());
            }
            object.remove(RecordSchema.TYPE);
            return union.cast(context.readTreeAsValue(object, member));
        }
    }
}

package dev.mixtral.grammar;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedArrayType;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Derives a JSON Schema from a record class. For one use by one thread.
///
/// Types that occur once are written where they occur, others once under `$defs`.
final class RecordSchema {
    /// The key that names the record in an object of a sealed interface.
    static final String TYPE = "type";

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final Map<Class<?>, Integer> uses = new HashMap<>();
    private final Map<Class<?>, String> definitions = new LinkedHashMap<>();
    private final Set<String> names = new HashSet<>();
    private final ObjectNode definitionSchemas = JSON.objectNode();
    private final Map<Class<?>, Map<String, Class<?>>> unions = new LinkedHashMap<>();
    private final ObjectNode schema;

    private RecordSchema(Class<?> root) {
        count(root);
        ObjectNode derived = reference(root, root.getSimpleName());
        if (!definitionSchemas.isEmpty()) {
            derived.set("$defs", definitionSchemas);
        }
        this.schema = derived;
    }

    /// Derives the schema of a record class and all it leads to.
    ///
    /// @throws GrammarException if a component has no schema
    static RecordSchema of(Class<? extends Record> root) {
        return new RecordSchema(root);
    }

    ObjectNode schema() {
        return schema;
    }

    /// Returns the sealed interfaces, each with its records by name.
    Map<Class<?>, Map<String, Class<?>>> unions() {
        return unions;
    }

    /// Counts how often a record or sealed interface is led to; what lies behind it counts once.
    private void count(Class<?> type) {
        if (uses.merge(type, 1, Integer::sum) > 1) {
            return;
        }
        if (type.isRecord()) {
            for (RecordComponent component : type.getRecordComponents()) {
                countInside(component.getAnnotatedType());
            }
        } else {
            membersOf(type, type.getSimpleName()).values().forEach(this::count);
        }
    }

    private void countInside(AnnotatedType type) {
        switch (type) {
            case AnnotatedArrayType array -> countInside(array.getAnnotatedGenericComponentType());
            case AnnotatedParameterizedType generic -> {
                for (AnnotatedType argument : generic.getAnnotatedActualTypeArguments()) {
                    countInside(argument);
                }
            }
            default -> {
                if (type.getType() instanceof Class<?> plain && isStructured(plain)) {
                    count(plain);
                }
            }
        }
    }

    private static boolean isStructured(Class<?> type) {
        return type.isRecord() || (type.isInterface() && type.isSealed());
    }

    /// Returns the schema of a record or sealed interface, or a reference to it.
    private ObjectNode reference(Class<?> type, String place) {
        if (uses.getOrDefault(type, 0) < 2) {
            return written(type, place);
        }
        String name = definitions.get(type);
        if (name == null) {
            name = type.getSimpleName();
            for (int i = 2; !names.add(name); i++) {
                name = type.getSimpleName() + i;
            }
            definitions.put(type, name);
            definitionSchemas.set(name, written(type, place));
        }
        return JSON.objectNode().put("$ref", "#/$defs/" + name);
    }

    private ObjectNode written(Class<?> type, String place) {
        if (type.isRecord()) {
            return object(type, Optional.empty());
        }
        Map<String, Class<?>> members = membersOf(type, place);
        unions.put(type, members);
        ArrayNode branches = JSON.arrayNode();
        members.forEach((name, member) -> branches.add(object(member, Optional.of(name))));
        return JSON.objectNode().set("anyOf", branches);
    }

    /// Returns the records of a sealed interface, those of sealed interfaces inside it included.
    private static Map<String, Class<?>> membersOf(Class<?> union, String place) {
        Map<String, Class<?>> members = new LinkedHashMap<>();
        List<Class<?>> work = new ArrayList<>(List.of(union));
        while (!work.isEmpty()) {
            Class<?> type = work.removeFirst();
            if (type.isRecord()) {
                Class<?> other = members.put(type.getSimpleName(), type);
                if (other != null && other != type) {
                    throw refused(place, "has two records named " + type.getSimpleName() + "; rename one");
                }
            } else if (type.isSealed() && type.isInterface()) {
                work.addAll(Arrays.asList(type.getPermittedSubclasses()));
            } else {
                throw refused(
                        place, "permits " + type.getName() + ", which is neither a record nor a sealed interface");
            }
        }
        return members;
    }

    /// Returns the schema of a record's objects.
    ///
    /// @param name what its key `type` says, where it stands for a sealed interface
    private ObjectNode object(Class<?> type, Optional<String> name) {
        if (type.getTypeParameters().length > 0) {
            throw refused(type.getSimpleName(), "is generic; write a record for each use");
        }
        ObjectNode properties = JSON.objectNode();
        name.ifPresent(text -> properties.putObject(TYPE).put("const", text));
        for (RecordComponent component : type.getRecordComponents()) {
            String place = type.getSimpleName() + "." + component.getName();
            if (properties.has(nameOf(component))) {
                throw refused(place, "is written as \"" + nameOf(component) + "\", which another key is already");
            }
            properties.set(nameOf(component), component(component, place));
        }
        ObjectNode object = JSON.objectNode().put("type", "object");
        object.set("properties", properties);
        ArrayNode required = object.putArray("required");
        properties.propertyNames().forEach(required::add);
        return object.put("additionalProperties", false);
    }

    private static String nameOf(RecordComponent component) {
        JsonProperty named = component.getAccessor().getAnnotation(JsonProperty.class);
        return named == null || named.value().isEmpty() ? component.getName() : named.value();
    }

    private ObjectNode component(RecordComponent component, String place) {
        boolean nullable = isNullable(component.getAccessor().getAnnotations());
        ObjectNode value = value(component.getAnnotatedType(), place);
        JsonPropertyDescription described = component.getAccessor().getAnnotation(JsonPropertyDescription.class);
        ObjectNode schema = nullable ? ScalarSchemas.orNull(value) : value;
        return described == null ? schema : withDescription(schema, described.value());
    }

    /// Puts the description first, where a reader sees it before the form.
    private static ObjectNode withDescription(ObjectNode schema, String description) {
        ObjectNode described = JSON.objectNode().put("description", description);
        described.setAll(schema);
        return described;
    }

    private static boolean isNullable(Annotation[] annotations) {
        return Arrays.stream(annotations)
                .anyMatch(annotation ->
                        annotation.annotationType().getSimpleName().equals("Nullable"));
    }

    private ObjectNode value(AnnotatedType type, String place) {
        ObjectNode schema = switch (type) {
            case AnnotatedArrayType array -> {
                if (array.getType() == byte[].class) {
                    throw refused(place, "is byte[], which JSON has no form for; use a String or a List");
                }
                yield array(array.getAnnotatedGenericComponentType(), place);
            }
            case AnnotatedParameterizedType generic -> container(generic, place);
            default -> {
                if (!(type.getType() instanceof Class<?> plain)) {
                    throw refused(place, "is " + type.getType().getTypeName() + ", which is no certain type");
                }
                yield isStructured(plain) ? reference(plain, place) : scalar(plain, place);
            }
        };
        return isNullable(type.getAnnotations()) ? ScalarSchemas.orNull(schema) : schema;
    }

    private static ObjectNode scalar(Class<?> type, String place) {
        return ScalarSchemas.find(type)
                .orElseThrow(() -> refused(
                        place,
                        "is " + type.getTypeName()
                                + ", which has no schema; use a record, an enum, a String, a number, a"
                                + " boolean, a date, or a List, Set, Map or Optional of them"));
    }

    private ObjectNode container(AnnotatedParameterizedType type, String place) {
        Class<?> raw = (Class<?>) ((ParameterizedType) type.getType()).getRawType();
        AnnotatedType[] arguments = type.getAnnotatedActualTypeArguments();
        if (raw == List.class || raw == Collection.class) {
            return array(arguments[0], place);
        }
        if (raw == Set.class) {
            return array(arguments[0], place).put("uniqueItems", true);
        }
        if (raw == Map.class) {
            return map(arguments[0], arguments[1], place);
        }
        if (raw == Optional.class) {
            return ScalarSchemas.orNull(value(arguments[0], place));
        }
        throw refused(
                place,
                "is " + raw.getTypeName() + "; of generic types, List, Set, Collection, Map and Optional can be");
    }

    private ObjectNode array(AnnotatedType items, String place) {
        ObjectNode array = JSON.objectNode().put("type", "array");
        array.set("items", value(items, place));
        return array;
    }

    private ObjectNode map(AnnotatedType keys, AnnotatedType values, String place) {
        ObjectNode object = JSON.objectNode().put("type", "object");
        if (keys.getType() instanceof Class<?> type && type.isEnum()) {
            object.set("propertyNames", scalar(type, place));
        } else if (keys.getType() != String.class) {
            throw refused(place, "has keys of " + keys.getType().getTypeName() + "; keys are a String or an enum");
        }
        object.set("additionalProperties", value(values, place));
        return object;
    }

    static GrammarException refused(String place, String problem) {
        return new GrammarException(Reason.UNSUPPORTED, place, "", problem);
    }
}

package dev.mixtral.server.wire;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Reads `response_format`, and what vLLM and llama.cpp call the same thing.
final class OutputFormatReader {
    private static final List<String> TYPES = List.of("text", "json_object", "json_schema", "enum", "regex", "grammar");

    private OutputFormatReader() {}

    /// @throws ApiException naming what is wrong and where
    static OutputFormat read(Fields request) {
        Fields format = request.object("response_format");
        if (format != null) {
            return responseFormat(format);
        }
        Fields structured = request.object("structured_outputs");
        return structured != null ? structuredOutputs(structured) : guided(request);
    }

    private static OutputFormat responseFormat(Fields format) {
        String type = format.requiredString("type");
        return switch (type) {
            case "text" -> new OutputFormat.Text();
            case "json_object" ->
                format.has("schema")
                        ? new OutputFormat.Schema("response_format", schema(format, "schema"))
                        : new OutputFormat.AnyObject("response_format");
            case "json_schema" -> {
                Fields inner = format.object("json_schema");
                if (inner == null) {
                    throw Fields.missing(format.param("json_schema"));
                }
                inner.string("name");
                inner.bool("strict", false);
                yield new OutputFormat.Schema("response_format", schema(inner, "schema"));
            }
            case "enum" -> choice(format, "enum", "response_format");
            case "regex" ->
                new OutputFormat.Regex(
                        "response_format", format.requiredString(format.has("pattern") ? "pattern" : "regex"));
            case "grammar" -> new OutputFormat.Grammar("response_format", format.requiredString("grammar"));
            default -> throw Fields.badValue(format.param("type"), type, TYPES);
        };
    }

    private static OutputFormat structuredOutputs(Fields structured) {
        String param = "structured_outputs";
        if (structured.has("json")) {
            return new OutputFormat.Schema(param, schema(structured, "json"));
        }
        if (structured.has("choice")) {
            return choice(structured, "choice", param);
        }
        if (structured.has("regex")) {
            return new OutputFormat.Regex(param, structured.requiredString("regex"));
        }
        if (structured.has("grammar")) {
            return new OutputFormat.Grammar(param, structured.requiredString("grammar"));
        }
        return structured.bool("json_object", false) ? new OutputFormat.AnyObject(param) : new OutputFormat.Text();
    }

    private static OutputFormat guided(Fields request) {
        for (String name : List.of("guided_json", "json_schema")) {
            if (request.has(name)) {
                return new OutputFormat.Schema(name, schema(request, name));
            }
        }
        if (request.has("guided_choice")) {
            return choice(request, "guided_choice", "guided_choice");
        }
        for (String name : List.of("guided_regex", "regex")) {
            if (request.has(name)) {
                return new OutputFormat.Regex(name, request.requiredString(name));
            }
        }
        for (String name : List.of("guided_grammar", "grammar")) {
            if (request.has(name)) {
                return new OutputFormat.Grammar(name, request.requiredString(name));
            }
        }
        return new OutputFormat.Text();
    }

    private static JsonNode schema(Fields parent, String name) {
        JsonNode schema = parent.get(name);
        if (schema == null) {
            throw Fields.missing(parent.param(name));
        }
        if (schema.isString() && List.of("json", "guided_json").contains(name)) {
            // vLLM takes these two as text as well.
            schema = Json.parse(schema.stringValue()).orElse(schema);
        }
        if (!schema.isObject() && !schema.isBoolean()) {
            throw Fields.wrongType(parent.param(name), "an object", schema);
        }
        return schema;
    }

    private static OutputFormat choice(Fields parent, String name, String param) {
        JsonNode array = parent.array(name);
        if (array == null) {
            throw Fields.missing(parent.param(name));
        }
        if (array.isEmpty()) {
            throw Fields.empty(parent.param(name));
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            if (!array.get(i).isString()) {
                throw Fields.wrongType(parent.param(name) + "[" + i + "]", "a string", array.get(i));
            }
            texts.add(array.get(i).stringValue());
        }
        return new OutputFormat.Choice(param, texts);
    }
}

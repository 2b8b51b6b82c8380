package dev.mixtral.server.wire;

import dev.mixtral.chat.ToolDefinition;
import dev.mixtral.error.Excerpt;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads `tools`, `tool_choice` and `parallel_tool_calls`, and their forerunners `functions` and `function_call`.
final class ToolReader {
    private static final int MAX_TOOLS = 128;
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_-]{1,64}");
    private static final List<String> CHOICES = List.of("none", "auto", "required");

    private ToolReader() {}

    /// @throws ApiException naming what is wrong and where
    static ToolSettings read(Fields request) {
        JsonNode array = request.array("tools");
        boolean legacy = array == null
                && (request.has("functions") || (request.has("function_call") && !request.has("tool_choice")));
        List<ToolDefinition> tools = legacy ? functions(request) : tools(array);
        boolean parallel = request.bool("parallel_tool_calls", true);
        String param = legacy ? "function_call" : "tool_choice";
        JsonNode choice = request.get(param);
        if (choice == null) {
            return new ToolSettings(
                    tools,
                    tools.isEmpty() ? new ToolChoice.None() : new ToolChoice.Auto(),
                    parallel && !legacy,
                    legacy);
        }
        if (choice.isObject() && Fields.of(choice, param).has("allowed_tools")) {
            return allowedTools(tools, Fields.of(choice, param), parallel);
        }
        return new ToolSettings(tools, choice(choice, tools, param), parallel && !legacy, legacy);
    }

    private static List<ToolDefinition> tools(@Nullable JsonNode array) {
        if (array == null) {
            return List.of();
        }
        if (array.size() > MAX_TOOLS) {
            throw Fields.tooLong("tools", MAX_TOOLS, array.size());
        }
        List<ToolDefinition> tools = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            Fields tool = Fields.of(array.get(i), "tools[" + i + "]");
            String type = tool.string("type");
            if (type != null && !type.equals("function")) {
                throw Fields.badValue(tool.param("type"), type, List.of("function"));
            }
            Fields function = tool.object("function");
            if (function == null) {
                throw Fields.missing(tool.param("function"));
            }
            tools.add(function(function));
        }
        return tools;
    }

    private static List<ToolDefinition> functions(Fields request) {
        JsonNode array = request.array("functions");
        List<ToolDefinition> tools = new ArrayList<>();
        if (array != null) {
            if (array.size() > MAX_TOOLS) {
                throw Fields.tooLong("functions", MAX_TOOLS, array.size());
            }
            for (int i = 0; i < array.size(); i++) {
                tools.add(function(Fields.of(array.get(i), "functions[" + i + "]")));
            }
        }
        return tools;
    }

    /// Reads name, description and parameters of a function.
    static ToolDefinition function(Fields function) {
        String name = function.requiredString("name");
        if (!NAME.matcher(name).matches()) {
            throw ApiException.invalid(
                    function.param("name"),
                    "invalid_value",
                    "Invalid '" + function.param("name") + "': string does not match pattern. Expected a string that"
                            + " matches the pattern '^[a-zA-Z0-9_-]{1,64}$'.");
        }
        String description = function.string("description");
        function.bool("strict", false);
        Fields parameters = function.object("parameters");
        return new ToolDefinition(
                name, description == null ? "" : description, parameters == null ? noProperties() : parameters.node());
    }

    private static ObjectNode noProperties() {
        ObjectNode schema = Json.object().put("type", "object");
        schema.set("properties", Json.object());
        return schema;
    }

    private static ToolChoice choice(JsonNode node, List<ToolDefinition> tools, String param) {
        ToolChoice choice = node.isString() ? word(node.stringValue(), param) : named(node, param);
        boolean calls = choice instanceof ToolChoice.Required || choice instanceof ToolChoice.Named;
        if (calls && tools.isEmpty()) {
            String field = param.equals("function_call") ? "functions" : "tools";
            throw new ApiException(ApiError.invalid(
                    param, null, "'" + param + "' is only allowed when '" + field + "' are specified."));
        }
        if (choice instanceof ToolChoice.Named(String name)) {
            requireKnown(name, tools, param);
        }
        return tools.isEmpty() ? new ToolChoice.None() : choice;
    }

    private static void requireKnown(String name, List<ToolDefinition> tools, String param) {
        if (tools.stream().noneMatch(tool -> tool.name().equals(name))) {
            throw new ApiException(ApiError.invalid(
                    param, null, "Tool choice '" + Excerpt.of(name) + "' not found in 'tools' parameter."));
        }
    }

    private static ToolChoice word(String word, String param) {
        return switch (word) {
            case "none" -> new ToolChoice.None();
            case "auto" -> new ToolChoice.Auto();
            case "required", "any" -> new ToolChoice.Required();
            default -> throw Fields.badValue(param, word, CHOICES);
        };
    }

    private static ToolChoice named(JsonNode node, String param) {
        if (!node.isObject()) {
            throw Fields.wrongType(param, "a string or an object", node);
        }
        Fields choice = Fields.of(node, param);
        String type = choice.string("type");
        if (type != null && !type.equals("function")) {
            throw Fields.badValue(choice.param("type"), type, List.of("function", "allowed_tools"));
        }
        Fields function = choice.object("function");
        // `function_call` and /v1/responses have the name one level higher.
        return new ToolChoice.Named((function == null ? choice : function).requiredString("name"));
    }

    /// Narrows the offer to a subset: the model does not see the others.
    private static ToolSettings allowedTools(List<ToolDefinition> tools, Fields choice, boolean parallel) {
        Fields allowed = Fields.of(choice.node().get("allowed_tools"), choice.param("allowed_tools"));
        String mode = allowed.string("mode");
        if (mode != null && !mode.equals("auto") && !mode.equals("required")) {
            throw Fields.badValue(allowed.param("mode"), mode, List.of("auto", "required"));
        }
        JsonNode array = allowed.array("tools");
        if (array == null) {
            throw Fields.missing(allowed.param("tools"));
        }
        List<String> names = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            Fields entry = Fields.of(array.get(i), allowed.param("tools[" + i + "]"));
            Fields function = entry.object("function");
            String name = (function == null ? entry : function).requiredString("name");
            requireKnown(name, tools, choice.param("allowed_tools"));
            names.add(name);
        }
        List<ToolDefinition> offered =
                tools.stream().filter(tool -> names.contains(tool.name())).toList();
        ToolChoice mayOrMust = "required".equals(mode) ? new ToolChoice.Required() : new ToolChoice.Auto();
        return new ToolSettings(offered, offered.isEmpty() ? new ToolChoice.None() : mayOrMust, parallel, false);
    }
}

package dev.mixtral.server.api;

import dev.mixtral.server.wire.ApiError;
import dev.mixtral.server.wire.ApiException;
import dev.mixtral.server.wire.OutputFormat;
import dev.mixtral.server.wire.ToolChoice;
import dev.mixtral.server.wire.ToolSettings;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Where the form that a request demands of its answer meets the model.
final class Constraints {
    private Constraints() {}

    /// Refuses what needs constrained decoding, which the engine does not have: an answer in another form than the one
    /// asked for would be worse than none.
    ///
    /// @throws ApiException naming the field that asks for it
    static void require(OutputFormat format, ToolSettings tools) {
        switch (tools.choice()) {
            case ToolChoice.None _, ToolChoice.Auto _ -> {}
            case ToolChoice.Required _, ToolChoice.Named _ ->
                throw unsupported(tools.legacy() ? "function_call" : "tool_choice", "a forced tool call");
        }
        switch (format) {
            case OutputFormat.Text _ -> {}
            case OutputFormat.AnyObject(String param) -> throw unsupported(param, "JSON output");
            case OutputFormat.Schema(String param, JsonNode _) -> throw unsupported(param, "output by a JSON schema");
            case OutputFormat.Choice(String param, List<String> _) -> throw unsupported(param, "a choice of texts");
            case OutputFormat.Regex(String param, String _) ->
                throw unsupported(param, "output by a regular expression");
            case OutputFormat.Grammar(String param, String _) -> throw unsupported(param, "output by a grammar");
        }
    }

    private static ApiException unsupported(String param, String what) {
        return new ApiException(ApiError.invalid(
                param,
                "unsupported_parameter",
                "Unsupported parameter: '" + param + "' asks for " + what
                        + ", which needs constrained decoding, and this server has none. Leave it out."));
    }
}

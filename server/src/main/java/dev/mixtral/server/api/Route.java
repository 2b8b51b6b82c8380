package dev.mixtral.server.api;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An endpoint: a method, the paths it has, and what it does. Immutable.
///
/// @param method HTTP method; GET stands for HEAD too
/// @param template segments divided by slashes; `{name}` takes one segment, `{name+}` one or more
/// @param access who may use it
/// @param needsModel whether it waits for the models to be loaded
/// @param handler what it does
public record Route(String method, String template, Access access, boolean needsModel, Handler handler) {

    /// Answers a request.
    public interface Handler {
        /// Must have answered, or thrown, when it returns.
        void handle(Call call) throws InterruptedException;
    }

    /// Returns the values of the template's names, or `null` if the path is another.
    @Nullable
    Map<String, String> match(List<String> segments) {
        List<String> pattern =
                template.equals("/") ? List.of() : List.of(template.substring(1).split("/", -1));
        Map<String, String> values = new HashMap<>();
        int at = 0;
        for (int i = 0; i < pattern.size(); i++) {
            String part = pattern.get(i);
            int take = part.endsWith("+}") ? segments.size() - at - (pattern.size() - 1 - i) : 1;
            if (take < 1 || at + take > segments.size()) {
                return null;
            }
            String text = String.join("/", segments.subList(at, at + take));
            if (part.startsWith("{")) {
                values.put(part.replaceAll("[{}+]", ""), text);
            } else if (!part.equals(text)) {
                return null;
            }
            at += take;
        }
        return at == segments.size() ? values : null;
    }

    /// Makes one route per path.
    static List<Route> of(String method, List<String> templates, Access access, boolean needsModel, Handler handler) {
        List<Route> routes = new ArrayList<>();
        templates.forEach(template -> routes.add(new Route(method, template, access, needsModel, handler)));
        return routes;
    }
}

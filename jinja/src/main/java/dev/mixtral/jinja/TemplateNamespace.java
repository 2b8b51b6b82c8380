package dev.mixtral.jinja;

import com.hubspot.jinjava.objects.Namespace;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The one kind of value that a template can change: `{% set ns.x = … %}`. Holds no other namespace.
final class TemplateNamespace extends Namespace {
    TemplateNamespace(Map<String, Object> values) {
        super(values);
    }

    @Override
    public @Nullable Object put(String key, @Nullable Object value) {
        if (value instanceof TemplateNamespace) {
            throw new RenderAbort("it puts a namespace into another value");
        }
        return super.put(key, value);
    }
}

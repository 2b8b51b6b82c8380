package dev.mixtral.jinja;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.util.ForLoop;
import java.beans.FeatureDescriptor;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;
import org.jspecify.annotations.Nullable;

/// The only way from a template to the inside of a value: an allowlist without reflection.
///
/// Dictionaries have their keys, lists and strings their indexes, `loop` its counters; strings and dictionaries have
/// the methods of [PythonMethods]. Every other access ends the rendering with an error.
final class SandboxResolver extends ELResolver {
    @Override
    public @Nullable Object getValue(ELContext context, @Nullable Object base, @Nullable Object property) {
        RenderScope.current().tick();
        if (base == null) {
            return null;
        }
        String name = String.valueOf(property);
        Object value = switch (base) {
            case Map<?, ?> map -> map.get(name);
            case List<?> list -> list.get(index(name, list.size()));
            case CharSequence text -> {
                int at = index(name, text.length());
                yield text.subSequence(at, at + 1).toString();
            }
            case ForLoop loop -> ofLoop(loop, name);
            default -> throw noAccess(name);
        };
        context.setPropertyResolved(true);
        return value;
    }

    @Override
    public @Nullable Object invoke(
            ELContext context,
            @Nullable Object base,
            @Nullable Object method,
            Class<?> @Nullable [] types,
            @Nullable Object @Nullable [] params) {
        RenderScope scope = RenderScope.current();
        scope.tick();
        List<@Nullable Object> args = params == null ? List.of() : Arrays.asList(params);
        String name = String.valueOf(method);
        Object result = switch (base) {
            case PythonFilter filter when args.size() == 4 -> filter.apply(args);
            case ExpTest test when args.size() >= 2 -> evaluate(test, name, args);
            case CharSequence text -> PythonMethods.call(text, name, args);
            case Map<?, ?> map -> PythonMethods.call(map, name, args);
            case null, default -> throw new IllegalStateException("templates may not call the method '" + name + "'");
        };
        context.setPropertyResolved(true);
        return scope.check(result);
    }

    /// `args` are the value, the interpreter, and the test's own arguments.
    private static boolean evaluate(ExpTest test, String name, List<@Nullable Object> args) {
        Object value = args.getFirst();
        Object[] rest = args.subList(2, args.size()).toArray();
        JinjavaInterpreter interpreter = JinjavaInterpreter.getCurrent();
        return switch (name) {
            case "evaluate" -> test.evaluate(value, interpreter, rest);
            case "evaluateNegated" -> test.evaluateNegated(value, interpreter, rest);
            default -> throw new IllegalStateException("templates may not call the method '" + name + "'");
        };
    }

    private static Object ofLoop(ForLoop loop, String name) {
        return switch (name) {
            case "index" -> (long) loop.getIndex();
            case "index0" -> (long) loop.getIndex0();
            case "revindex" -> (long) loop.getRevindex();
            case "revindex0" -> (long) loop.getRevindex0();
            case "length" -> (long) loop.getLength();
            case "first" -> loop.isFirst();
            case "last" -> loop.isLast();
            default -> throw noAccess(name);
        };
    }

    private static int index(String property, int size) {
        if (!property.matches("-?[0-9]{1,9}")) {
            throw noAccess(property);
        }
        int index = Integer.parseInt(property);
        int place = index < 0 ? index + size : index;
        if (place < 0 || place >= size) {
            throw new IllegalArgumentException("there is no element " + index + ", only " + size + " elements");
        }
        return place;
    }

    /// The type matters: Jinjava looks for a property before it calls a method, and this exception lets it go on.
    private static IllegalArgumentException noAccess(String name) {
        return new IllegalArgumentException("templates may not access the property '" + name + "'");
    }

    @Override
    public Class<?> getType(ELContext context, @Nullable Object base, @Nullable Object property) {
        return Object.class;
    }

    @Override
    public void setValue(ELContext context, @Nullable Object base, @Nullable Object property, @Nullable Object value) {
        throw new IllegalStateException("templates may not change values");
    }

    @Override
    public boolean isReadOnly(ELContext context, @Nullable Object base, @Nullable Object property) {
        return true;
    }

    @Override
    public Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, @Nullable Object base) {
        return Collections.emptyIterator();
    }

    @Override
    public Class<?> getCommonPropertyType(ELContext context, @Nullable Object base) {
        return Object.class;
    }
}

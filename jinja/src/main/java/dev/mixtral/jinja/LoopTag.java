package dev.mixtral.jinja;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.TemplateSyntaxException;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.util.ForLoop;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `{% for x in list %}`, `{% for k, v in pairs %}`, `{% for x in list if condition %}`, with `{% else %}` left out.
///
/// Jinjava's own tag reads bean properties of what it loops over by reflection, and has no condition.
final class LoopTag implements Tag {
    private static final long serialVersionUID = 1L;
    private static final Pattern IN = Pattern.compile("\\sin\\s");

    @Override
    public String getName() {
        return "for";
    }

    @Override
    public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
        SandboxParser.checkSize(tag.getHelpers());
        String head = tag.getHelpers().strip();
        Matcher in = IN.matcher(head);
        if (!in.find()) {
            throw new TemplateSyntaxException(interpreter, head, "'for' needs the form 'for x in list'");
        }
        List<String> variables = Arrays.stream(head.substring(0, in.start()).split(",", -1))
                .map(String::strip)
                .toList();
        String source = head.substring(in.end());
        int condition = condition(source);
        Object list = interpreter.resolveELExpression(
                condition < 0 ? source : source.substring(0, condition), tag.getLineNumber());
        try (var _ = interpreter.enterScope()) {
            List<Object> elements = new ArrayList<>(PythonValues.list(list == null ? List.of() : list));
            if (condition >= 0) {
                String test = source.substring(condition + 4);
                elements.removeIf(element -> {
                    bind(interpreter, variables, element);
                    return !PythonValues.isTrue(interpreter.resolveELExpression(test, tag.getLineNumber()));
                });
            }
            return render(tag, interpreter, variables, elements);
        }
    }

    private static String render(
            TagNode tag, JinjavaInterpreter interpreter, List<String> variables, List<Object> elements) {
        ForLoop loop = new ForLoop(elements.iterator(), elements.size());
        StringBuilder out = new StringBuilder();
        while (loop.hasNext()) {
            Object element = loop.next();
            try (var _ = interpreter.enterScope()) {
                interpreter.getContext().put("loop", loop);
                bind(interpreter, variables, element);
                for (Node node : tag.getChildren()) {
                    String text = node.render(interpreter).getValue();
                    RenderScope.current().charge(text.length());
                    out.append(text);
                    if (loop.isContinued()) {
                        break;
                    }
                }
            }
        }
        return out.toString();
    }

    private static void bind(JinjavaInterpreter interpreter, List<String> variables, Object element) {
        if (variables.size() == 1) {
            interpreter.getContext().put(variables.getFirst(), element);
            return;
        }
        List<?> parts = PythonValues.list(element);
        if (parts.size() != variables.size()) {
            throw new IllegalStateException(
                    "'for' has " + variables.size() + " variables, but an element has " + parts.size() + " parts");
        }
        for (int i = 0; i < parts.size(); i++) {
            interpreter.getContext().put(variables.get(i), parts.get(i));
        }
    }

    /// Returns the place of ` if ` outside quotes and brackets, where no `else` follows, or -1.
    private static int condition(String source) {
        if (source.contains(" else ")) {
            return -1;
        }
        char quote = 0;
        int depth = 0;
        for (int i = 0; i < source.length(); i++) {
            char c = source.charAt(i);
            if (quote != 0) {
                i += c == '\\' ? 1 : 0;
                quote = c == quote ? 0 : quote;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if ("([{".indexOf(c) >= 0) {
                depth++;
            } else if (")]}".indexOf(c) >= 0) {
                depth--;
            } else if (depth == 0 && source.startsWith(" if ", i)) {
                return i;
            }
        }
        return -1;
    }
}

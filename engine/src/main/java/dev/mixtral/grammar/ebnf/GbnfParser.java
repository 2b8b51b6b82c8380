package dev.mixtral.grammar.ebnf;

import dev.mixtral.grammar.ebnf.Expression.Alternatives;
import dev.mixtral.grammar.ebnf.Expression.Reference;
import dev.mixtral.grammar.ebnf.Expression.Repeat;
import dev.mixtral.grammar.ebnf.Expression.Sequence;
import dev.mixtral.grammar.ebnf.Expression.Terminal;
import dev.mixtral.grammar.regex.CodePoints;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads llama.cpp's GBNF: `name ::= …` with literals, classes, `.`, groups, `|`, `* + ?` and `{m,n}`. For one
/// use.
///
/// Source: llama.cpp, grammars/README.md. Its token references (`<name>`, `<[id]>`) are refused.
public final class GbnfParser {
    private static final String NAME = "-_";
    private static final int MAX_DEPTH = 200;

    private final TextForm form;
    private final Scanner scanner;
    private int depth;

    private GbnfParser(String text, TextForm form) {
        this.form = form;
        this.scanner = new Scanner(text, "#");
    }

    /// Returns the rules of a grammar, by name.
    ///
    /// @throws GrammarException if it is none
    public static Map<String, Expression> parse(String text, RegexPool pool) {
        return new GbnfParser(text, TextForm.plain(pool)).rules();
    }

    private Map<String, Expression> rules() {
        Map<String, Expression> rules = new LinkedHashMap<>();
        scanner.skip(true);
        while (!scanner.atEnd()) {
            String name = scanner.name(NAME);
            if (name.isEmpty()) {
                throw scanner.invalid("needs the name of a rule");
            }
            scanner.skip(false);
            if (!scanner.take("::=")) {
                throw scanner.invalid("needs ::= behind '" + name + "'");
            }
            scanner.skip(true);
            rules.put(name, alternatives(false));
            scanner.skip(true);
        }
        return rules;
    }

    /// @param inGroup whether line breaks are only blanks
    private Expression alternatives(boolean inGroup) {
        if (++depth > MAX_DEPTH) {
            throw scanner.unsupported("nests groups deeper than " + MAX_DEPTH);
        }
        List<Expression> parts = new ArrayList<>();
        parts.add(sequence(inGroup));
        while (scanner.take("|")) {
            scanner.skip(true);
            parts.add(sequence(inGroup));
        }
        depth--;
        return parts.size() == 1 ? parts.getFirst() : new Alternatives(parts);
    }

    private Expression sequence(boolean inGroup) {
        List<Expression> parts = new ArrayList<>();
        while (true) {
            scanner.skip(inGroup);
            if (!inGroup && isNextRule()) {
                break;
            }
            char c = scanner.peek();
            boolean begins = c == '"'
                    || c == '['
                    || c == '('
                    || c == '.'
                    || c == '<'
                    || c == '!'
                    || Character.isLetterOrDigit(c);
            if (!begins) {
                break;
            }
            parts.add(quantified(atom()));
        }
        if (!scanner.atEnd() && "|)\n\r".indexOf(scanner.peek()) < 0) {
            throw scanner.invalid("has an unexpected '" + scanner.peek() + "'");
        }
        return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
    }

    private boolean isNextRule() {
        int from = scanner.at;
        boolean rule = !scanner.name(NAME).isEmpty();
        scanner.skip(false);
        rule &= scanner.startsWith("::=");
        scanner.at = from;
        return rule;
    }

    private Expression atom() {
        if (scanner.take("\"")) {
            StringBuilder text = new StringBuilder();
            while (!scanner.take("\"")) {
                text.appendCodePoint(character());
            }
            return new Terminal(form.literal(text.toString()));
        }
        if (scanner.take("[")) {
            return new Terminal(form.encode(characters()));
        }
        if (scanner.take("(")) {
            scanner.skip(true);
            Expression group = alternatives(true);
            scanner.skip(true);
            if (!scanner.take(")")) {
                throw scanner.invalid("has an unmatched (");
            }
            return group;
        }
        if (scanner.take(".")) {
            return new Terminal(form.anyCharacter());
        }
        String name = scanner.name(NAME);
        if (name.isEmpty()) {
            throw scanner.unsupported("refers to a token, which is not supported; write the token's text");
        }
        return new Reference(name, scanner.line());
    }

    private CodePoints characters() {
        boolean negated = scanner.take("^");
        CodePoints set = CodePoints.NONE;
        while (!scanner.take("]")) {
            int from = character();
            int to = from;
            if (scanner.peek() == '-' && !scanner.startsWith("-]")) {
                scanner.take("-");
                to = character();
            }
            if (to < from) {
                throw scanner.invalid("has a range that is out of order");
            }
            set = set.or(CodePoints.of(from, to));
        }
        return negated ? set.not() : set.and(CodePoints.ALL);
    }

    private int character() {
        int c = scanner.next();
        if (c != '\\') {
            return c;
        }
        int escape = scanner.next();
        return switch (escape) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'x' -> scanner.hex(2);
            case 'u' -> scanner.hex(4);
            case 'U' -> scanner.hex(8);
            case '"', '[', ']', '\\', '-', '^' -> escape;
            default -> throw scanner.invalid("has the unknown escape \\" + Character.toString(escape));
        };
    }

    private Expression quantified(Expression part) {
        Expression result = part;
        while (true) {
            scanner.skip(false);
            if (scanner.take("*")) {
                result = new Repeat(result, 0, -1);
            } else if (scanner.take("+")) {
                result = new Repeat(result, 1, -1);
            } else if (scanner.take("?")) {
                result = new Repeat(result, 0, 1);
            } else if (scanner.take("{")) {
                result = counted(result);
            } else {
                return result;
            }
        }
    }

    private Expression counted(Expression part) {
        scanner.skip(false);
        int min = scanner.peek() == ',' ? 0 : scanner.number();
        int max = min;
        scanner.skip(false);
        if (scanner.take(",")) {
            scanner.skip(false);
            max = scanner.peek() == '}' ? -1 : scanner.number();
        }
        scanner.skip(false);
        if (!scanner.take("}") || (max >= 0 && max < min)) {
            throw scanner.invalid("has a repetition that is not {m}, {m,}, {,n} or {m,n} with m up to n");
        }
        return new Repeat(part, min, max);
    }
}

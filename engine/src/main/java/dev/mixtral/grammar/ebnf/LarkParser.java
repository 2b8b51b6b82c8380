package dev.mixtral.grammar.ebnf;

import dev.mixtral.error.GrammarException;
import dev.mixtral.grammar.ebnf.Expression.Alternatives;
import dev.mixtral.grammar.ebnf.Expression.Reference;
import dev.mixtral.grammar.ebnf.Expression.Repeat;
import dev.mixtral.grammar.ebnf.Expression.Sequence;
import dev.mixtral.grammar.ebnf.Expression.Terminal;
import dev.mixtral.grammar.regex.CodePoints;
import dev.mixtral.grammar.regex.PatternCompiler;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Reads a subset of Lark: rules and TERMINALS with strings, `/patterns/`, groups, `[…]`, `|`, `* + ?`, `~ m..n`
/// and `%ignore`. For one use.
///
/// Ignored text may stand in front of every terminal of a rule. There is no longest match: every way to cut a
/// text into terminals counts. Imports, templates, priorities, flags and look-behind are refused. Source: Lark's
/// grammar reference.
public final class LarkParser {
    private static final String NAME = "_";
    private static final int MAX_DEPTH = 200;

    private final TextForm form;
    private final PatternCompiler patterns;
    private final Scanner scanner;
    private final List<Expression> ignored = new ArrayList<>();
    private int depth;

    private LarkParser(String text, RegexPool pool) {
        this.form = TextForm.plain(pool);
        this.patterns = new PatternCompiler(pool, form);
        this.scanner = new Scanner(text, "//");
    }

    /// Returns the rules and terminals of a grammar, by name.
    ///
    /// @throws GrammarException if it is none, or goes beyond the subset
    public static Map<String, Expression> parse(String text, RegexPool pool) {
        return new LarkParser(text, pool).rules();
    }

    private Map<String, Expression> rules() {
        Map<String, Expression> rules = new LinkedHashMap<>();
        scanner.skip(true);
        while (!scanner.atEnd()) {
            if (scanner.take("%ignore")) {
                scanner.skip(false);
                ignored.add(alternatives(false));
            } else if (scanner.peek() == '%') {
                throw scanner.unsupported("uses a directive other than %ignore, which is not supported");
            } else {
                rule(rules);
            }
            scanner.skip(true);
        }
        if (!ignored.isEmpty()) {
            Expression gap = new Repeat(new Alternatives(ignored), 0, -1);
            rules.replaceAll((name, body) -> isTerminal(name) ? body : withGaps(body, gap));
            // Behind the last terminal there may be ignored text too.
            rules.computeIfPresent("start", (name, body) -> new Sequence(List.of(body, gap)));
        }
        return rules;
    }

    private void rule(Map<String, Expression> rules) {
        boolean inlined = scanner.take("?") || scanner.take("!");
        String name = scanner.name(NAME);
        if (name.isEmpty()) {
            throw scanner.invalid(inlined ? "needs the name of a rule behind ? or !" : "needs the name of a rule");
        }
        scanner.skip(false);
        if (scanner.peek() == '.' || scanner.peek() == '{') {
            throw scanner.unsupported("gives '" + name + "' a priority or parameters, which is not supported");
        }
        if (!scanner.take(":")) {
            throw scanner.invalid("needs : behind '" + name + "'");
        }
        if (rules.put(name, alternatives(false)) != null) {
            throw scanner.invalid("defines '" + name + "' twice");
        }
    }

    private static boolean isTerminal(String name) {
        return name.equals(name.toUpperCase(Locale.ROOT));
    }

    private static Expression withGaps(Expression body, Expression gap) {
        return switch (body) {
            case Terminal terminal -> new Sequence(List.of(gap, terminal));
            case Reference reference ->
                isTerminal(reference.name()) ? new Sequence(List.of(gap, reference)) : reference;
            case Sequence(List<Expression> parts) -> new Sequence(withGaps(parts, gap));
            case Alternatives(List<Expression> parts) -> new Alternatives(withGaps(parts, gap));
            case Repeat repeat -> new Repeat(withGaps(repeat.part(), gap), repeat.min(), repeat.max());
        };
    }

    private static List<Expression> withGaps(List<Expression> parts, Expression gap) {
        return parts.stream().map(part -> withGaps(part, gap)).toList();
    }

    /// @param inGroup whether line breaks are only blanks
    private Expression alternatives(boolean inGroup) {
        if (++depth > MAX_DEPTH) {
            throw scanner.unsupported("nests groups deeper than " + MAX_DEPTH);
        }
        List<Expression> parts = new ArrayList<>();
        do {
            parts.add(sequence(inGroup));
        } while (takeBar());
        depth--;
        return parts.size() == 1 ? parts.getFirst() : new Alternatives(parts);
    }

    /// Takes a `|`, which may begin the next line.
    private boolean takeBar() {
        int from = scanner.at;
        scanner.skip(true);
        if (scanner.take("|")) {
            return true;
        }
        scanner.at = from;
        return false;
    }

    private Expression sequence(boolean inGroup) {
        List<Expression> parts = new ArrayList<>();
        scanner.skip(inGroup);
        while (begins()) {
            parts.add(quantified(atom()));
            scanner.skip(inGroup);
        }
        if (scanner.take("->")) {
            scanner.skip(false);
            scanner.name(NAME);
            scanner.skip(inGroup);
        }
        if (!scanner.atEnd() && "|)]\n\r".indexOf(scanner.peek()) < 0) {
            throw scanner.invalid("has an unexpected '" + scanner.peek() + "'");
        }
        return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
    }

    private boolean begins() {
        char c = scanner.peek();
        boolean pattern = c == '/' && !scanner.startsWith("//");
        return pattern || c == '"' || c == '(' || c == '[' || c == '_' || Character.isLetterOrDigit(c);
    }

    private Expression atom() {
        if (scanner.take("\"")) {
            return text();
        }
        if (scanner.take("/")) {
            return pattern();
        }
        if (scanner.take("(")) {
            return closed(alternatives(true), ")");
        }
        if (scanner.take("[")) {
            return new Repeat(closed(alternatives(true), "]"), 0, 1);
        }
        String name = scanner.name(NAME);
        if (scanner.peek() == '{') {
            throw scanner.unsupported("uses a template, which is not supported");
        }
        return new Reference(name, scanner.line());
    }

    private Expression closed(Expression group, String bracket) {
        scanner.skip(true);
        if (!scanner.take(bracket)) {
            throw scanner.invalid("needs " + bracket);
        }
        return group;
    }

    private Expression text() {
        StringBuilder text = new StringBuilder();
        while (!scanner.take("\"")) {
            text.appendCodePoint(character());
        }
        if (scanner.peek() == 'i') {
            throw scanner.unsupported("uses a flag behind a string, which is not supported");
        }
        Terminal terminal = new Terminal(form.literal(text.toString()));
        if (!scanner.startsWith("..")) {
            return terminal;
        }
        scanner.take("..");
        boolean quoted = scanner.take("\"");
        int last = quoted ? character() : 0;
        if (!quoted || !scanner.take("\"") || text.codePoints().count() != 1 || last < text.codePointAt(0)) {
            throw scanner.invalid("has a range that is not \"a\"..\"z\"");
        }
        return new Terminal(form.encode(CodePoints.of(text.codePointAt(0), last)));
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
            case '"', '\\', '/' -> escape;
            default -> throw scanner.invalid("has the unknown escape \\" + Character.toString(escape));
        };
    }

    private Expression pattern() {
        int from = scanner.at;
        while (scanner.peek() != '/') {
            if (scanner.next() == '\\') {
                scanner.next();
            }
        }
        String pattern = scanner.since(from);
        scanner.take("/");
        if (Character.isLetter(scanner.peek())) {
            throw scanner.unsupported("uses a flag behind a pattern, which is not supported");
        }
        try {
            Regex regex = patterns.full(pattern, false);
            return new Terminal(regex);
        } catch (GrammarException e) {
            throw e.at("line " + scanner.line(), "");
        }
    }

    private Expression quantified(Expression part) {
        scanner.skip(false);
        if (scanner.take("*")) {
            return new Repeat(part, 0, -1);
        }
        if (scanner.take("+")) {
            return new Repeat(part, 1, -1);
        }
        if (scanner.take("?")) {
            return new Repeat(part, 0, 1);
        }
        if (!scanner.take("~")) {
            return part;
        }
        scanner.skip(false);
        int min = scanner.number();
        scanner.skip(false);
        int max = min;
        if (scanner.take("..")) {
            scanner.skip(false);
            max = scanner.number();
        }
        if (max < min) {
            throw scanner.invalid("repeats " + min + " to " + max + " times");
        }
        return new Repeat(part, min, max);
    }
}

package dev.mixtral.grammar.regex;

/// Reads character classes and escapes of an ECMA-262 pattern.
final class ClassParser {
    private static final CodePoints DIGIT = CodePoints.of('0', '9');
    private static final CodePoints WORD =
            CodePoints.of('a', 'z').or(CodePoints.of('A', 'Z')).or(DIGIT).or(CodePoints.of("_"));
    private static final CodePoints SPACE = CodePoints.of(
                    "\t\n\u000b\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff")
            .or(CodePoints.of(0x2000, 0x200a));

    private final PatternParser parser;

    ClassParser(PatternParser parser) {
        this.parser = parser;
    }

    /// Reads a class behind its opening bracket.
    CodePoints parse() {
        boolean negated = parser.take('^');
        CodePoints set = CodePoints.NONE;
        while (!parser.take(']')) {
            if (parser.atEnd()) {
                throw parser.invalid("has an unmatched [");
            }
            if (parser.peek() == '[' && isPosixClass()) {
                throw parser.unsupported("uses a POSIX class");
            }
            set = set.or(member());
        }
        return negated ? set.not() : set.and(CodePoints.ALL);
    }

    private boolean isPosixClass() {
        parser.next();
        boolean posix = !parser.atEnd() && parser.peek() == ':';
        parser.back(1);
        return posix;
    }

    private CodePoints member() {
        CodePoints first = atom();
        if (!parser.take('-')) {
            return first;
        }
        if (parser.atEnd() || parser.peek() == ']') {
            return first.or(CodePoints.of("-"));
        }
        CodePoints last = atom();
        if (!isSingle(first) || !isSingle(last)) {
            return first.or(last).or(CodePoints.of("-"));
        }
        if (first.from(0) > last.from(0)) {
            throw parser.invalid("has a range that is out of order");
        }
        return CodePoints.of(first.from(0), last.from(0));
    }

    private static boolean isSingle(CodePoints set) {
        return set.numRanges() == 1 && set.from(0) == set.to(0);
    }

    private CodePoints atom() {
        if (parser.take('\\')) {
            if (parser.take('b')) {
                return CodePoints.of("\b");
            }
            return escaped();
        }
        int c = parser.next();
        return CodePoints.of(c, c);
    }

    /// Reads an escape behind its backslash.
    CodePoints escaped() {
        if (parser.atEnd()) {
            throw parser.invalid("ends with a backslash");
        }
        int c = parser.next();
        return switch (c) {
            case 'd' -> DIGIT;
            case 'D' -> DIGIT.not();
            case 'w' -> WORD;
            case 'W' -> WORD.not();
            case 's' -> SPACE;
            case 'S' -> SPACE.not();
            case 't' -> CodePoints.of("\t");
            case 'n' -> CodePoints.of("\n");
            case 'v' -> CodePoints.of("\u000b");
            case 'f' -> CodePoints.of("\f");
            case 'r' -> CodePoints.of("\r");
            case '0' -> CodePoints.of(0, 0);
            case 'p' -> property(parser.takeBraced());
            case 'P' -> property(parser.takeBraced()).not();
            case 'c' -> control();
            case 'x' -> single(parser.takeHex(2), 'x');
            case 'u' -> unicode();
            default -> identity(c);
        };
    }

    private CodePoints identity(int c) {
        // \A, \Z, \G … mean something else to the other dialects their authors had in mind.
        if (Character.isLetterOrDigit(c)) {
            throw parser.unsupported("uses the escape \\" + Character.toString(c));
        }
        return CodePoints.of(c, c);
    }

    private CodePoints control() {
        int c = parser.atEnd() ? 0 : parser.next();
        if (!Character.isLetter(c) || c > 0x7f) {
            throw parser.invalid("has \\c without a letter");
        }
        return CodePoints.of(c % 32, c % 32);
    }

    private CodePoints single(int value, char escape) {
        if (value < 0) {
            throw parser.invalid("has \\" + escape + " without its hexadecimal digits");
        }
        return CodePoints.of(value, value);
    }

    private CodePoints unicode() {
        if (!parser.atEnd() && parser.peek() == '{') {
            String digits = parser.takeBraced();
            if (!digits.matches("0*[0-9a-fA-F]{1,6}") || Integer.parseInt(digits, 16) > CodePoints.MAX) {
                throw parser.invalid("has \\u{" + digits + "}, which is no code point");
            }
            int c = Integer.parseInt(digits, 16);
            return CodePoints.of(c, c);
        }
        int high = parser.takeHex(4);
        if (high >= 0xd800 && high <= 0xdbff && parser.take('\\')) {
            int low = parser.take('u') ? parser.takeHex(4) : -1;
            if (low >= 0xdc00 && low <= 0xdfff) {
                int c = Character.toCodePoint((char) high, (char) low);
                return CodePoints.of(c, c);
            }
            throw parser.invalid("has half a surrogate pair");
        }
        return single(high, 'u');
    }

    private CodePoints property(String name) {
        CodePoints set = UnicodeProperty.find(name);
        if (set == null) {
            throw parser.invalid("names the Unicode property '" + name + "', which does not exist");
        }
        return set;
    }
}

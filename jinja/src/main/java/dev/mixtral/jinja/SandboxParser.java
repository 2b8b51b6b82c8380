package dev.mixtral.jinja;

import com.hubspot.jinjava.el.ExtendedSyntaxBuilder;
import com.hubspot.jinjava.el.ext.AdditionOperator;
import com.hubspot.jinjava.el.ext.AstDict;
import com.hubspot.jinjava.el.ext.AstList;
import com.hubspot.jinjava.el.ext.AstTuple;
import com.hubspot.jinjava.el.ext.CollectionMembershipOperator;
import com.hubspot.jinjava.el.ext.CollectionNonMembershipOperator;
import com.hubspot.jinjava.el.ext.ExtendedParser;
import com.hubspot.jinjava.el.ext.OrOperator;
import com.hubspot.jinjava.el.ext.StringConcatOperator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jinjava.de.odysseus.el.tree.Bindings;
import jinjava.de.odysseus.el.tree.impl.Builder;
import jinjava.de.odysseus.el.tree.impl.Parser;
import jinjava.de.odysseus.el.tree.impl.Scanner;
import jinjava.de.odysseus.el.tree.impl.ast.AstBinary;
import jinjava.de.odysseus.el.tree.impl.ast.AstBracket;
import jinjava.de.odysseus.el.tree.impl.ast.AstDot;
import jinjava.de.odysseus.el.tree.impl.ast.AstLiteral;
import jinjava.de.odysseus.el.tree.impl.ast.AstNode;
import jinjava.de.odysseus.el.tree.impl.ast.AstParameters;
import jinjava.javax.el.ELContext;
import org.jspecify.annotations.Nullable;

/// Jinjava's expressions with Python's operators, every operation and every new value accounted for.
final class SandboxParser extends ExtendedParser {
    private static final int MAX_LENGTH = 10_000;
    private static final int MAX_DEPTH = 64;

    private SandboxParser(Builder context, String input) {
        super(context, input);
    }

    /// Makes parsers of this class.
    static final class SyntaxBuilder extends ExtendedSyntaxBuilder {
        private static final long serialVersionUID = 1L;

        SyntaxBuilder() {
            super(Feature.METHOD_INVOCATIONS, Feature.VARARGS, Feature.NULL_PROPERTIES);
        }

        @Override
        protected Parser createParser(String expression) {
            checkSize(expression);
            return new SandboxParser(this, expression);
        }
    }

    /// The parser looks ahead to the end at every opening parenthesis, so depth times length must stay small.
    static void checkSize(String expression) {
        int depth = 0;
        int maxDepth = 0;
        for (int i = 0; i < expression.length(); i++) {
            char c = expression.charAt(i);
            depth += "([{".indexOf(c) >= 0 ? 1 : ")]}".indexOf(c) >= 0 ? -1 : 0;
            maxDepth = Math.max(maxDepth, depth);
        }
        if (maxDepth > MAX_DEPTH || expression.length() > MAX_LENGTH) {
            throw new RenderAbort("an expression has more than " + MAX_LENGTH + " characters or is nested more than "
                    + MAX_DEPTH + " levels deep");
        }
    }

    @Override
    protected AstDot createAstDot(AstNode base, String property, boolean isLvalue) {
        return super.createAstDot(new Required(base), property, isLvalue);
    }

    @Override
    protected AstBracket createAstBracket(AstNode base, AstNode property, boolean isLvalue, boolean isStrict) {
        return super.createAstBracket(new Required(base), property, isLvalue, isStrict);
    }

    @Override
    protected AstBinary createAstBinary(AstNode left, AstNode right, AstBinary.Operator operator) {
        return new AstBinary(left, right, new CheckedOperator(operator));
    }

    @Override
    public void putExtensionHandler(Scanner.ExtensionToken token, Parser.ExtensionHandler handler) {
        super.putExtensionHandler(token, new Parser.ExtensionHandler(handler.getExtensionPoint()) {
            @Override
            public AstNode createAstNode(AstNode... children) {
                AstNode node = handler.createAstNode(children);
                return node instanceof AstBinary binary
                        ? new AstBinary(children[0], children[1], new CheckedOperator(binary.getOperator()))
                        : node;
            }
        });
    }

    @Override
    protected AstList createAstList(AstParameters elements) {
        return new AstList(elements) {
            @Override
            public @Nullable Object eval(Bindings bindings, ELContext context) {
                return RenderScope.current().check(super.eval(bindings, context));
            }
        };
    }

    @Override
    protected AstTuple createAstTuple(AstParameters elements) {
        return new AstTuple(elements) {
            @Override
            public @Nullable Object eval(Bindings bindings, ELContext context) {
                return RenderScope.current().check(super.eval(bindings, context));
            }
        };
    }

    @Override
    protected AstDict createAstDict(Map<AstNode, AstNode> entries) {
        return new AstDict(entries) {
            @Override
            public @Nullable Object eval(Bindings bindings, ELContext context) {
                return RenderScope.current().check(super.eval(bindings, context));
            }
        };
    }

    /// The operators that mean something else in Python than in Java's expression language.
    private enum Kind {
        AND,
        OR,
        EQUAL,
        UNEQUAL,
        IN,
        NOT_IN,
        ADD,
        CONCATENATE,
        MULTIPLY,
        LESS,
        AT_MOST,
        GREATER,
        AT_LEAST,
        NUMERIC
    }

    private static final Map<AstBinary.Operator, Kind> KINDS = Map.ofEntries(
            Map.entry(AstBinary.AND, Kind.AND),
            Map.entry(AstBinary.OR, Kind.OR),
            Map.entry(OrOperator.OP, Kind.OR),
            Map.entry(AstBinary.EQ, Kind.EQUAL),
            Map.entry(AstBinary.NE, Kind.UNEQUAL),
            Map.entry(CollectionMembershipOperator.OP, Kind.IN),
            Map.entry(CollectionNonMembershipOperator.NOT_IN_OP, Kind.NOT_IN),
            Map.entry(AdditionOperator.OP, Kind.ADD),
            Map.entry(StringConcatOperator.OP, Kind.CONCATENATE),
            Map.entry(AstBinary.MUL, Kind.MULTIPLY),
            Map.entry(AstBinary.LT, Kind.LESS),
            Map.entry(AstBinary.LE, Kind.AT_MOST),
            Map.entry(AstBinary.GT, Kind.GREATER),
            Map.entry(AstBinary.GE, Kind.AT_LEAST));

    private record CheckedOperator(AstBinary.Operator operator, Kind kind) implements AstBinary.Operator {
        CheckedOperator(AstBinary.Operator operator) {
            this(operator, KINDS.getOrDefault(operator, Kind.NUMERIC));
        }

        @Override
        public @Nullable Object eval(Bindings bindings, ELContext context, AstNode left, AstNode right) {
            RenderScope scope = RenderScope.current();
            scope.tick();
            Object a = left.eval(bindings, context);
            if ((kind == Kind.AND && !PythonValues.isTrue(a)) || (kind == Kind.OR && PythonValues.isTrue(a))) {
                return a;
            }
            Object b = right.eval(bindings, context);
            return switch (kind) {
                case AND, OR -> b;
                case EQUAL -> PythonValues.equal(a, b);
                case UNEQUAL -> !PythonValues.equal(a, b);
                case IN -> PythonValues.contains(b, a);
                case NOT_IN -> !PythonValues.contains(b, a);
                case CONCATENATE -> concatenation(PythonValues.print(a), PythonValues.print(b));
                case ADD, MULTIPLY, LESS, AT_MOST, GREATER, AT_LEAST, NUMERIC -> {
                    boolean areNumbers = a instanceof Number && b instanceof Number;
                    yield areNumbers
                            ? operator.eval(bindings, context, new Constant(a), new Constant(b))
                            : scope.check(ofTexts(a, b));
                }
            };
        }

        private Object ofTexts(@Nullable Object a, @Nullable Object b) {
            if (kind == Kind.ADD && a instanceof List<?> x && b instanceof List<?> y) {
                List<@Nullable Object> sum = new ArrayList<>(x);
                sum.addAll(y);
                return sum;
            }
            if (kind == Kind.MULTIPLY && a instanceof CharSequence text && b instanceof Number count) {
                int times = Math.clamp(count.longValue(), 0, RenderScope.MAX_STRING + 1);
                RenderScope.current().charge((long) times * text.length());
                return text.toString().repeat(times);
            }
            if (a instanceof CharSequence x && b instanceof CharSequence y) {
                int order = x.toString().compareTo(y.toString());
                switch (kind) {
                    case ADD -> {
                        return concatenation(x, y);
                    }
                    case LESS -> {
                        return order < 0;
                    }
                    case AT_MOST -> {
                        return order <= 0;
                    }
                    case GREATER -> {
                        return order > 0;
                    }
                    case AT_LEAST -> {
                        return order >= 0;
                    }
                    default -> {}
                }
            }
            throw new IllegalStateException("these operands do not go together");
        }

        private static String concatenation(CharSequence a, CharSequence b) {
            RenderScope.current().charge((long) a.length() + b.length());
            return a.toString() + b;
        }
    }

    /// An operand that is evaluated already.
    private static final class Constant extends AstLiteral {
        private final @Nullable Object value;

        Constant(@Nullable Object value) {
            this.value = value;
        }

        @Override
        public @Nullable Object eval(Bindings bindings, ELContext context) {
            return value;
        }

        @Override
        public void appendStructure(StringBuilder builder, Bindings bindings) {
            builder.append(value);
        }
    }

    /// What a property is taken of: in Python, the undefined has none. Unknown filters and tests end here, too.
    private static final class Required extends AstLiteral {
        private final AstNode node;

        Required(AstNode node) {
            this.node = node;
        }

        @Override
        public Object eval(Bindings bindings, ELContext context) {
            Object value = node.eval(bindings, context);
            if (value == null) {
                throw new IllegalStateException("it takes a property of '" + node + "', which is undefined");
            }
            return value;
        }

        @Override
        public void appendStructure(StringBuilder builder, Bindings bindings) {
            node.appendStructure(builder, bindings);
        }

        @Override
        public String toString() {
            return node.toString();
        }
    }
}

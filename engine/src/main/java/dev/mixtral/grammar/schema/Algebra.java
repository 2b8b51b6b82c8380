package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Works formulas out into facets. Not thread-safe.
///
/// Objects and arrays become alternatives without inner choices; the schemas of their members stay formulas and
/// are worked out when they are needed, so that recursive schemas end.
final class Algebra {
    private static final int MAX_ALTERNATIVES = 500;
    private static final int MAX_DEPTH = 256;
    private static final int MAX_LOOK = 6;
    private static final int MAX_COMPARED = 48;

    private final RegexPool pool;
    private final TextForm form;
    private final Formulas formulas;
    private final NumberSets numbers;
    private final ObjectAlgebra objects;
    private final ArrayAlgebra arrays;
    private final Function<Location, Formula> translate;
    private final LocalTest isLocal;
    private final Facets all;
    private final Facets none;
    private final Map<Formula, Facets> known = new HashMap<>();
    private final Set<Formula> inProgress = new HashSet<>();
    private int looks;

    /// Tells whether a schema can be worked out by itself.
    interface LocalTest {
        boolean test(Location location);
    }

    /// @param translate turns a schema of the document into a formula of its parts
    /// @param isLocal whether a schema has no applicator that works on the same value
    Algebra(
            RegexPool pool,
            TextForm form,
            Formulas formulas,
            Function<Location, Formula> translate,
            LocalTest isLocal) {
        this.pool = pool;
        this.form = form;
        this.formulas = formulas;
        this.translate = translate;
        this.isLocal = isLocal;
        this.numbers = new NumberSets(pool);
        this.objects = new ObjectAlgebra(pool, form, formulas, this::isObviouslyEmpty, this::isChoice);
        this.arrays = new ArrayAlgebra(formulas, this::isObviouslyEmpty);
        this.all = new Facets(
                Facets.NULL | Facets.FALSE | Facets.TRUE,
                numbers.all(),
                form.anyText(),
                form.anyText(),
                List.of(arrays.any()),
                List.of(objects.any()),
                true);
        this.none = new Facets(0, numbers.none(), pool.nothing(), pool.nothing(), List.of(), List.of(), true);
    }

    Facets all() {
        return all;
    }

    Facets none() {
        return none;
    }

    NumberSets numbers() {
        return numbers;
    }

    ObjectAlgebra objects() {
        return objects;
    }

    ArrayAlgebra arrays() {
        return arrays;
    }

    /// Returns the values of a formula.
    ///
    /// @throws GrammarException if a schema refers to itself without going into a member, or expands too far
    Facets facets(Formula formula) {
        Facets found = known.get(formula);
        if (found != null) {
            return found;
        }
        if (!inProgress.add(formula)) {
            throw new GrammarException(
                    Reason.INVALID,
                    formula.location == null ? "#" : formula.location.pointer(),
                    "$ref",
                    "leads back to itself without going into a member");
        }
        try {
            if (inProgress.size() > MAX_DEPTH) {
                throw new GrammarException(
                        Reason.TOO_LARGE, "", "", "schemas refer to each other more than " + MAX_DEPTH + " deep");
            }
            Facets made = workOut(formula);
            known.put(formula, made);
            return made;
        } finally {
            inProgress.remove(formula);
        }
    }

    private Facets workOut(Formula formula) {
        return switch (formula.kind) {
            case TRUE -> all;
            case FALSE -> none;
            case FACETS -> Objects.requireNonNull(formula.facets);
            case SCHEMA -> facets(translate.apply(Objects.requireNonNull(formula.location)));
            case AND -> intersection(formula.parts);
            case OR -> fold(formula.parts, none, this::or);
            case NOT -> minus(all, facets(formula.parts.getFirst()));
        };
    }

    private Facets fold(List<Formula> parts, Facets start, BinaryOperator<Facets> operation) {
        Facets result = start;
        for (Formula part : parts) {
            result = operation.apply(result, facets(part));
        }
        return result;
    }

    Facets and(Facets a, Facets b) {
        if (a.equals(all) || b.equals(all)) {
            return a.equals(all) ? b : a;
        }
        Regex strings = andStrings(a.strings(), b.strings());
        boolean exactStrings = a.hasExactStrings() && b.hasExactStrings();
        return new Facets(
                a.constants() & b.constants(),
                numbers.and(a.numbers(), b.numbers()),
                strings,
                exactStrings ? strings : andStrings(a.possible(), b.possible()),
                product(a.arrays(), b.arrays(), arrays::and),
                product(a.objects(), b.objects(), objects::and),
                (a.exactObjects() && b.exactObjects()) || hasSurelyNoObject(a) || hasSurelyNoObject(b));
    }

    private Regex andStrings(Regex a, Regex b) {
        if (a == form.anyText() || b == form.anyText()) {
            return a == form.anyText() ? b : a;
        }
        return orNothing(pool.and(a, b));
    }

    private Regex orNothing(Regex strings) {
        return pool.isEmpty(strings) ? pool.nothing() : strings;
    }

    private static boolean hasSurelyNoObject(Facets facets) {
        return facets.exactObjects() && facets.objects().isEmpty();
    }

    /// The intersection of two alternatives, or null if it is empty.
    private interface Meet<T> {
        @Nullable
        T apply(T a, T b);
    }

    private static <T> List<T> product(List<T> a, List<T> b, Meet<T> meet) {
        Set<T> both = new LinkedHashSet<>();
        for (T left : a) {
            for (T right : b) {
                T common = meet.apply(left, right);
                if (common != null) {
                    both.add(common);
                    limit(both);
                }
            }
        }
        return List.copyOf(both);
    }

    private static void limit(Collection<?> alternatives) {
        if (alternatives.size() > MAX_ALTERNATIVES) {
            throw new GrammarException(
                    Reason.TOO_LARGE,
                    "",
                    "",
                    "expands to more than " + MAX_ALTERNATIVES
                            + " alternatives; if the branches of a 'oneOf' cannot overlap, use 'anyOf'");
        }
    }

    Facets or(Facets a, Facets b) {
        if (a.equals(none) || b.equals(none)) {
            return a.equals(none) ? b : a;
        }
        List<ObjectShape> shapes = union(a.objects(), b.objects(), objects.any());
        return new Facets(
                a.constants() | b.constants(),
                numbers.or(a.numbers(), b.numbers()),
                orStrings(a.strings(), b.strings()),
                orStrings(a.possible(), b.possible()),
                union(a.arrays(), b.arrays(), arrays.any()),
                shapes,
                (a.exactObjects() && b.exactObjects()) || shapes.contains(objects.any()));
    }

    private Regex orStrings(Regex a, Regex b) {
        return a == form.anyText() || b == form.anyText() ? form.anyText() : pool.or(a, b);
    }

    private static <T> List<T> union(List<T> a, List<T> b, T any) {
        if (a.contains(any) || b.contains(any)) {
            return List.of(any);
        }
        Set<T> both = new LinkedHashSet<>(a);
        both.addAll(b);
        limit(both);
        return List.copyOf(both);
    }

    /// Removes from what is there already: far fewer alternatives than a complement of its own would have.
    ///
    /// What breaks in few ways goes first: the alternatives that it leaves often have nothing in common with the
    /// many ways in which the others break.
    private Facets intersection(List<Formula> parts) {
        List<Formula> positive = new ArrayList<>();
        List<Facets> negative = new ArrayList<>();
        for (Formula part : parts) {
            if (part.kind == Formula.Kind.NOT) {
                negative.add(facets(part.parts.getFirst()));
            } else {
                positive.add(part);
            }
        }
        negative.sort(Comparator.comparingInt(Algebra::numConditions));
        Facets result = fold(positive, all, this::and);
        for (Facets part : negative) {
            result = minus(result, part);
        }
        return result;
    }

    private static int numConditions(Facets facets) {
        int count = 0;
        for (ObjectShape shape : facets.objects()) {
            count += shape.named().size()
                    + shape.cells().size()
                    + shape.obligations().size();
        }
        for (ArrayShape shape : facets.arrays()) {
            count += shape.prefix().size() + shape.contains().size() + 1;
        }
        return count;
    }

    private Facets minus(Facets a, Facets b) {
        Regex strings = minusStrings(a.strings(), b.possible());
        boolean exactStrings = a.hasExactStrings() && b.hasExactStrings();
        Regex possible = exactStrings ? strings : minusStrings(a.possible(), b.strings());
        boolean leavesNone = strings.isNothing() && !a.strings().isNothing() && !possible.isNothing();
        if (leavesNone || (!b.exactObjects() && !a.objects().isEmpty())) {
            throw new GrammarException(
                    Reason.UNSUPPORTED,
                    "",
                    "",
                    "negates a 'format' (by 'not', 'if' or an overlapping 'oneOf') in a way that cannot be enforced; "
                            + "use a pattern");
        }
        return new Facets(
                a.constants() & ~b.constants(),
                numbers.and(a.numbers(), numbers.not(b.numbers())),
                strings,
                possible,
                remove(a.arrays(), b.arrays(), arrays.any(), arrays::not, arrays::and),
                remove(a.objects(), b.objects(), objects.any(), objects::not, objects::and),
                a.exactObjects());
    }

    private Regex minusStrings(Regex a, Regex b) {
        return b == form.anyText() ? pool.nothing() : orNothing(pool.minus(a, b));
    }

    private static <T> List<T> remove(List<T> from, List<T> shapes, T any, Function<T, List<T>> not, Meet<T> meet) {
        List<T> result = from;
        for (T shape : shapes) {
            if (shape.equals(any)) {
                return List.of();
            }
            if (!result.isEmpty()) {
                result = largest(product(result, not.apply(shape), meet), meet);
            }
        }
        return result;
    }

    /// Leaves out alternatives that lie inside others.
    private static <T> List<T> largest(List<T> alternatives, Meet<T> meet) {
        if (alternatives.size() > MAX_COMPARED) {
            return alternatives;
        }
        List<T> kept = new ArrayList<>();
        for (T candidate : alternatives) {
            boolean covered = alternatives.stream()
                    .anyMatch(other -> !other.equals(candidate)
                            && candidate.equals(meet.apply(candidate, other))
                            && (kept.contains(other) || !other.equals(meet.apply(other, candidate))));
            if (!covered) {
                kept.add(candidate);
            }
        }
        return kept;
    }

    /// Returns whether a formula has no value, as far as that shows without following applicators.
    boolean isObviouslyEmpty(Formula formula) {
        if (formula.isFalse()) {
            return true;
        }
        List<Formula> parts = formula.kind == Formula.Kind.AND ? formula.parts : List.of(formula);
        List<Formula> simple = new ArrayList<>();
        parts.stream().filter(this::isSimple).forEach(simple::add);
        Facets found = simple.isEmpty() ? null : look(formulas.and(simple));
        return found != null && found.isEmpty();
    }

    /// Works a formula out if that is easy; null if it leads back to what is being worked out.
    private @Nullable Facets look(Formula formula) {
        Facets found = known.get(formula);
        if (found != null) {
            return found;
        }
        if (inProgress.contains(formula) || looks >= MAX_LOOK) {
            return null;
        }
        looks++;
        try {
            return facets(formula);
        } catch (GrammarException e) {
            if (e.reason() == Reason.TOO_LARGE) {
                throw e;
            }
            return null;
        } finally {
            looks--;
        }
    }

    /// Returns whether a formula is easily seen to have finitely many values, all scalar.
    private boolean isChoice(Formula formula) {
        if (formula.kind == Formula.Kind.AND) {
            return formula.parts.stream().anyMatch(this::isChoice);
        }
        if (!isSimple(formula) || formula.kind == Formula.Kind.NOT) {
            return false;
        }
        Facets facets = look(formula);
        return facets != null
                && facets.arrays().isEmpty()
                && facets.objects().isEmpty()
                && RegexPool.isSurelyFinite(facets.possible())
                && RegexPool.isSurelyFinite(facets.numbers().values());
    }

    private boolean isSimple(Formula part) {
        return switch (part.kind) {
            case FACETS -> true;
            case SCHEMA -> isLocal.test(Objects.requireNonNull(part.location));
            case NOT -> isSimple(part.parts.getFirst());
            case TRUE, FALSE, AND, OR -> false;
        };
    }
}

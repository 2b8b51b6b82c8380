package dev.mixtral.grammar.schema;

import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.grammar.schema.ArrayShape.Contains;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Intersection and complement of array shapes. Confined as its formulas are.
final class ArrayAlgebra {
    private final Formulas formulas;
    private final Predicate<Formula> obviouslyEmpty;
    private final ArrayShape any;

    ArrayAlgebra(Formulas formulas, Predicate<Formula> obviouslyEmpty) {
        this.formulas = formulas;
        this.obviouslyEmpty = obviouslyEmpty;
        this.any = new ArrayShape(List.of(), formulas.always(), 0, ArrayShape.UNBOUNDED, List.of(), false);
    }

    /// Returns the shape of all arrays.
    ArrayShape any() {
        return any;
    }

    /// Returns the arrays that have both shapes, or null if there is none.
    @Nullable
    ArrayShape and(ArrayShape a, ArrayShape b) {
        if (a.equals(any) || b.equals(any)) {
            return a.equals(any) ? b : a;
        }
        int min = Math.max(a.min(), b.min());
        int max = Math.min(a.max(), b.max());
        List<Formula> prefix = new ArrayList<>();
        for (int i = 0; i < Math.max(a.prefix().size(), b.prefix().size()); i++) {
            Formula item = formulas.and(a.item(i), b.item(i));
            prefix.add(item);
            if (obviouslyEmpty.test(item)) {
                max = Math.min(max, i);
            }
        }
        if (min > max) {
            return null;
        }
        List<Contains> contains = new ArrayList<>(a.contains());
        b.contains().stream().filter(c -> !contains.contains(c)).forEach(contains::add);
        return new ArrayShape(
                List.copyOf(prefix),
                formulas.and(a.rest(), b.rest()),
                min,
                max,
                List.copyOf(contains),
                a.unique() || b.unique());
    }

    /// Returns the arrays that do not have the shape: each result breaks one of its conditions.
    List<ArrayShape> not(ArrayShape shape) {
        List<ArrayShape> broken = new ArrayList<>();
        for (int i = 0; i < shape.prefix().size(); i++) {
            if (!shape.prefix().get(i).isTrue()) {
                List<Formula> prefix = new ArrayList<>(Collections.nCopies(i, formulas.always()));
                prefix.add(formulas.not(shape.prefix().get(i)));
                broken.add(new ArrayShape(prefix, any.rest(), i + 1, any.max(), List.of(), false));
            }
        }
        int from = shape.prefix().size();
        if (shape.rest().isFalse()) {
            broken.add(any.withLength(from + 1, any.max()));
        } else if (!shape.rest().isTrue()) {
            broken.add(any.withContains(new Contains(formulas.not(shape.rest()), from, 1, any.max())));
        }
        if (shape.min() > 0) {
            broken.add(any.withLength(0, shape.min() - 1));
        }
        if (shape.max() < any.max()) {
            broken.add(any.withLength(shape.max() + 1, any.max()));
        }
        for (Contains c : shape.contains()) {
            if (c.min() > 0) {
                broken.add(any.withContains(new Contains(c.item(), c.from(), 0, c.min() - 1)));
            }
            if (c.max() < any.max()) {
                broken.add(any.withContains(new Contains(c.item(), c.from(), c.max() + 1, any.max())));
            }
        }
        if (shape.unique() && shape.max() > 1) {
            throw new GrammarException(
                    Reason.UNSUPPORTED, "", "", "negates 'uniqueItems', which cannot be enforced; state it positively");
        }
        return broken;
    }
}

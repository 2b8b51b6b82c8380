package dev.mixtral.grammar.schema;

import dev.mixtral.grammar.regex.Regex;
import dev.mixtral.grammar.regex.RegexPool;
import dev.mixtral.grammar.regex.TextForm;
import dev.mixtral.grammar.schema.ObjectShape.Cell;
import dev.mixtral.grammar.schema.ObjectShape.Property;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Intersection and complement of object shapes. Shares its pool's confinement.
final class ObjectAlgebra {
    private final RegexPool pool;
    private final TextForm keys;
    private final Formulas formulas;
    private final Predicate<Formula> obviouslyEmpty;
    private final Predicate<Formula> isChoice;
    private final ObjectShape any;

    /// @param keys the form of JSON strings
    /// @param obviouslyEmpty whether a formula has no value, as far as that is easily seen
    /// @param isChoice whether a formula is easily seen to have few values, such as an enum
    ObjectAlgebra(
            RegexPool pool,
            TextForm keys,
            Formulas formulas,
            Predicate<Formula> obviouslyEmpty,
            Predicate<Formula> isChoice) {
        this.pool = pool;
        this.keys = keys;
        this.formulas = formulas;
        this.obviouslyEmpty = obviouslyEmpty;
        this.isChoice = isChoice;
        this.any = new ObjectShape(
                Map.of(), List.of(new Cell(keys.anyText(), formulas.always())), 0, ObjectShape.UNBOUNDED, Set.of());
    }

    /// Returns the shape of all objects.
    ObjectShape any() {
        return any;
    }

    /// Returns the schema of a key's value; FALSE if the key must not be there.
    Formula value(ObjectShape shape, String key) {
        Property named = shape.named().get(key);
        if (named != null) {
            return named.value();
        }
        byte[] spelled = spellWithEnd(key);
        for (Cell cell : shape.cells()) {
            if (cell.keys() == keys.anyText() || pool.matches(cell.keys(), spelled)) {
                return cell.value();
            }
        }
        return formulas.never();
    }

    /// Returns the bytes of a key as the inside of a JSON string, with the closing quote.
    byte[] spellWithEnd(String key) {
        byte[] spelled = keys.spell(key);
        byte[] ended = java.util.Arrays.copyOf(spelled, spelled.length + 1);
        ended[spelled.length] = '"';
        return ended;
    }

    /// Returns the objects that have both shapes, or null if there is none.
    @Nullable
    ObjectShape and(ObjectShape a, ObjectShape b) {
        if (a.equals(any) || b.equals(any)) {
            return a.equals(any) ? b : a;
        }
        int min = Math.max(a.min(), b.min());
        int max = Math.min(a.max(), b.max());
        Set<String> names = new LinkedHashSet<>(a.named().keySet());
        names.addAll(b.named().keySet());
        Map<String, Property> named = new LinkedHashMap<>();
        for (String name : names) {
            Formula value = formulas.and(value(a, name), value(b, name));
            boolean required = isRequired(a, name) || isRequired(b, name);
            if (required && obviouslyEmpty.test(value)) {
                return null;
            }
            named.put(name, new Property(value, required));
        }
        if (min > max) {
            return null;
        }
        Set<Cell> obligations = new LinkedHashSet<>(a.obligations());
        obligations.addAll(b.obligations());
        return new ObjectShape(named, andCells(a.cells(), b.cells()), min, max, obligations);
    }

    private static boolean isRequired(ObjectShape shape, String name) {
        Property property = shape.named().get(name);
        return property != null && property.required();
    }

    private List<Cell> andCells(List<Cell> a, List<Cell> b) {
        List<Cell> both = new ArrayList<>();
        for (Cell left : a) {
            for (Cell right : b) {
                Formula value = formulas.and(left.value(), right.value());
                Regex common = andKeys(left.keys(), right.keys());
                if (!value.isFalse() && !common.isNothing()) {
                    both.add(new Cell(common, value));
                }
            }
        }
        return List.copyOf(both);
    }

    private Regex andKeys(Regex a, Regex b) {
        if (a == keys.anyText() || b == keys.anyText()) {
            return a == keys.anyText() ? b : a;
        }
        Regex both = pool.and(a, b);
        return pool.isEmpty(both) ? pool.nothing() : both;
    }

    /// Splits cells by a set of keys: inside it, values must also satisfy a formula.
    List<Cell> split(List<Cell> cells, Regex set, Formula inside) {
        List<Cell> result = new ArrayList<>();
        for (Cell cell : cells) {
            Regex common = andKeys(cell.keys(), set);
            Regex others = pool.minus(cell.keys(), set);
            if (!common.isNothing()) {
                result.add(new Cell(common, formulas.and(cell.value(), inside)));
            }
            if (!pool.isEmpty(others)) {
                result.add(new Cell(others, cell.value()));
            }
        }
        return result;
    }

    /// Returns the objects that do not have the shape: each result breaks one of its conditions.
    ///
    /// Keys with few values come first, and what breaks another condition satisfies those: so alternatives of a
    /// union that such a key tells apart stay apart, and the complement of the union grows by their sum, not by
    /// their product.
    List<ObjectShape> not(ObjectShape shape) {
        List<ObjectShape> broken = new ArrayList<>();
        ObjectShape start = any;
        for (Map.Entry<String, Property> entry : shape.named().entrySet()) {
            if (isChoice.test(entry.getValue().value())) {
                breakNamed(start, entry.getKey(), entry.getValue(), broken);
                start = start.with(entry.getKey(), entry.getValue());
            }
        }
        for (Map.Entry<String, Property> entry : shape.named().entrySet()) {
            if (!start.named().containsKey(entry.getKey())) {
                breakNamed(start, entry.getKey(), entry.getValue(), broken);
            }
        }
        breakOthers(start, shape, broken);
        return broken;
    }

    /// A required key is absent or has another value, which is one optional key with the other values.
    private void breakNamed(ObjectShape start, String name, Property property, List<ObjectShape> broken) {
        if (property.required() || !property.value().isTrue()) {
            broken.add(start.with(name, new Property(formulas.not(property.value()), !property.required())));
        }
    }

    private void breakOthers(ObjectShape start, ObjectShape shape, List<ObjectShape> broken) {
        Set<String> names = shape.named().keySet();
        Regex named = keys.literals(List.copyOf(names));
        Regex uncovered = keys.anyText();
        for (Cell cell : shape.cells()) {
            uncovered = cell.keys() == keys.anyText() ? pool.nothing() : pool.minus(uncovered, cell.keys());
            if (!cell.value().isTrue()) {
                addObligation(start, broken, pool.minus(cell.keys(), named), formulas.not(cell.value()));
            }
        }
        addObligation(start, broken, pool.minus(uncovered, named), formulas.always());
        if (shape.min() > 0) {
            broken.add(start.withCount(0, shape.min() - 1));
        }
        if (shape.max() < ObjectShape.UNBOUNDED) {
            broken.add(start.withCount(shape.max() + 1, ObjectShape.UNBOUNDED));
        }
        for (Cell obligation : shape.obligations()) {
            broken.add(start.withCells(split(start.cells(), obligation.keys(), formulas.not(obligation.value()))));
        }
    }

    private void addObligation(ObjectShape start, List<ObjectShape> broken, Regex set, Formula value) {
        if (!pool.isEmpty(set)) {
            broken.add(start.withObligation(new Cell(set, value)));
        }
    }
}

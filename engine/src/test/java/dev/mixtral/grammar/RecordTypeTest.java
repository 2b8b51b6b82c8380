package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import dev.mixtral.error.AnswerException;
import dev.mixtral.error.GrammarException;
import dev.mixtral.error.GrammarException.Reason;
import dev.mixtral.testing.Seeds;
import dev.mixtral.tokenizer.Tokenizer;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Records as schemas, and answers as records.
class RecordTypeTest {
    private static final Tokenizer TOKENIZER = Vocabularies.tiny();
    private static final GrammarCompiler COMPILER = new GrammarCompiler(TOKENIZER);

    public enum Currency {
        EUR,
        @JsonProperty("US dollar")
        USD,
        GBP {
            @Override
            public String toString() {
                return "pound";
            }
        }
    }

    public record Line(
            String name,
            int count,
            @JsonPropertyDescription("without tax") BigDecimal price) {}

    public record Invoice(
            @JsonProperty("invoice_no") String number,
            LocalDate date,
            Currency currency,
            List<Line> lines,
            Optional<String> remark,
            @Nullable Line discount) {
        public Invoice {
            if (number.equals("forbidden")) {
                throw new IllegalArgumentException("number is forbidden");
            }
        }
    }

    public record Tree(String label, List<Tree> children) {}

    public sealed interface Shape permits Circle, Polygon {}

    public record Circle(double radius) implements Shape {}

    public sealed interface Polygon extends Shape {}

    public record Square(double side) implements Polygon {}

    public record Triangle(double a, double b, double c) implements Polygon {}

    public record Drawing(List<Shape> shapes, @Nullable Shape frame, Circle first) {}

    public record Everything(
            boolean flag,
            Boolean boxedFlag,
            byte b,
            short s,
            Integer i,
            long l,
            float f,
            double d,
            char c,
            BigInteger big,
            BigDecimal exact,
            OffsetDateTime time,
            Instant instant,
            UUID uuid,
            Set<Currency> currencies,
            Map<String, List<Integer>> lists,
            Map<Currency, Integer> amounts,
            int[] numbers,
            @Nullable String[] texts,
            OptionalInt optionalInt,
            OptionalLong optionalLong,
            OptionalDouble optionalDouble,
            List<@Nullable Boolean> answers,
            Empty empty) {}

    public record Empty() {}

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text.replace('\'', '"'));
    }

    private static boolean accepts(RecordType<?> type, String text) {
        return Texts.accepts(COMPILER.compile(type.grammar()), TOKENIZER, text.replace('\'', '"'));
    }

    @Test
    void componentsBecomeRequiredKeysInTheirOrder() {
        JsonNode schema = RecordType.of(Line.class).schema();
        assertThat(schema.toString())
                .isEqualTo("{'type':'object','properties':{'name':{'type':'string'},'count':{'type':'integer',"
                                .replace('\'', '"')
                        + "\"minimum\":-2147483648,\"maximum\":2147483647},"
                        + "\"price\":{\"description\":\"without tax\",\"type\":\"number\"}},"
                        + "\"required\":[\"name\",\"count\",\"price\"],\"additionalProperties\":false}");
    }

    @Test
    void answersBecomeRecords() {
        RecordType<Invoice> type = RecordType.of(Invoice.class);
        String text = """
                {"invoice_no":"A-7","date":"2026-02-28","currency":"US dollar","lines":[{"name":"tea","count":2,
                "price":4.50}],"remark":null,"discount":{"name":"half","count":1,"price":-1}}""".replace("\n", " ");
        assertThat(accepts(type, text)).isTrue();
        assertThat(type.read(text))
                .isEqualTo(new Invoice(
                        "A-7",
                        LocalDate.of(2026, 2, 28),
                        Currency.USD,
                        List.of(new Line("tea", 2, new BigDecimal("4.50"))),
                        Optional.empty(),
                        new Line("half", 1, new BigDecimal("-1"))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'invoice_no':'1','date':'2026-02-30','currency':'EUR','lines':[],'remark':null,'discount':null}",
                "{'invoice_no':'1','date':'2026-02-28','currency':'USD','lines':[],'remark':null,'discount':null}",
                "{'invoice_no':'1','date':'2026-02-28','currency':'pound','lines':[],'remark':null,'discount':null}",
                "{'invoice_no':null,'date':'2026-02-28','currency':'EUR','lines':[],'remark':null,'discount':null}",
                "{'invoice_no':'1','date':'2026-02-28','currency':'EUR','lines':null,'remark':null,'discount':null}",
                "{'invoice_no':'1','date':'2026-02-28','currency':'EUR','lines':[]}",
                "{'number':'1','date':'2026-02-28','currency':'EUR','lines':[],'remark':null,'discount':null}",
            })
    void whatIsNoRecordIsNoAnswer(String text) {
        assertThat(accepts(RecordType.of(Invoice.class), text)).isFalse();
    }

    @Test
    void recordsRecur() {
        RecordType<Tree> type = RecordType.of(Tree.class);
        String text = "{\"label\":\"a\",\"children\":[{\"label\":\"b\",\"children\":[]}]}";
        assertThat(accepts(type, text)).isTrue();
        assertThat(type.read(text)).isEqualTo(new Tree("a", List.of(new Tree("b", List.of()))));
    }

    @Test
    void sealedInterfacesAreToldApartByType() {
        RecordType<Drawing> type = RecordType.of(Drawing.class);
        String text = "{\"shapes\":[{\"type\":\"Circle\",\"radius\":1.5},{\"type\":\"Square\",\"side\":2}],"
                + "\"frame\":null,\"first\":{\"radius\":1}}";
        assertThat(accepts(type, text)).isTrue();
        assertThat(accepts(type, text.replace("Square", "Circle"))).isFalse();
        assertThat(type.read(text))
                .isEqualTo(new Drawing(List.of(new Circle(1.5), new Square(2)), null, new Circle(1)));
    }

    /// Whatever the masks allow can be read: ranges, times and names are those of Java.
    @Test
    void everyWalkEndsInARecord() {
        Random random = Seeds.random("walks through records");
        for (Class<? extends Record> type : List.of(Everything.class, Invoice.class, Drawing.class, Tree.class)) {
            RecordType<?> recordType = RecordType.of(type);
            CompiledGrammar grammar = COMPILER.compile(recordType.grammar());
            for (int i = 0; i < 10; i++) {
                Texts.walk(grammar, TOKENIZER, random, 120)
                        .ifPresent(text -> assertThat(recordType.read(text)).isInstanceOf(type));
            }
        }
    }

    public record Exact(OffsetDateTime time, BigDecimal amount, long id) {}

    @Test
    void valuesKeepTheirOffsetAndDigits() {
        Exact exact = RecordType.of(Exact.class)
                .read("{\"time\":\"2026-01-02T03:04:05+05:30\",\"amount\":1.50,\"id\":9007199254740993}");
        assertThat(exact)
                .isEqualTo(new Exact(
                        OffsetDateTime.parse("2026-01-02T03:04:05+05:30"), new BigDecimal("1.50"), 9007199254740993L));
    }

    @Test
    void whatAConstructorRefusesNamesTheReason() {
        String text = "{\"invoice_no\":\"forbidden\",\"date\":\"2026-02-28\",\"currency\":\"EUR\",\"lines\":[],"
                + "\"remark\":null,\"discount\":null}";
        AnswerException failure = catchThrowableOfType(
                AnswerException.class, () -> RecordType.of(Invoice.class).read(text));
        assertThat(failure)
                .hasMessageContaining("the answer is no Invoice")
                .hasMessageContaining("number is forbidden");
        assertThat(failure.text()).isEqualTo(text);
        assertThatThrownBy(() -> RecordType.of(Invoice.class).read("{\"invoice_no\":"))
                .isInstanceOf(AnswerException.class);
    }

    public record Untyped(Object value) {}

    public record Box<T>(T value) {}

    public record Boxed(Box<String> box) {}

    public record Bytes(byte[] bytes) {}

    public record Keys(Map<Integer, String> names) {}

    public record Wild(List<? extends Number> numbers) {}

    public record Twice(
            @JsonProperty("a") int one, @JsonProperty("a") int two) {}

    public sealed interface Open permits OpenClass {}

    public static non-sealed class OpenClass implements Open {}

    public record Opened(Open open) {}

    public sealed interface Named permits Typed {}

    public record Typed(String type) implements Named {}

    public record Naming(Named named) {}

    @Test
    void whatHasNoSchemaIsRefusedByItsPlace() {
        Map<Class<? extends Record>, String> places = Map.of(
                Untyped.class, "Untyped.value: is java.lang.Object",
                Boxed.class, "Boxed.box: is ",
                Box.class, "Box: is generic",
                Bytes.class, "Bytes.bytes: is byte[]",
                Keys.class, "Keys.names: has keys of java.lang.Integer",
                Wild.class, "Wild.numbers: is ? extends java.lang.Number",
                Twice.class, "Twice.two: is written as \"a\"",
                Opened.class, "Open: permits ",
                Naming.class, "Typed.type: is written as \"type\"");
        places.forEach((type, message) -> {
            GrammarException failure = catchThrowableOfType(GrammarException.class, () -> RecordType.of(type));
            assertThat(failure).as(type.getSimpleName()).isNotNull().hasMessageStartingWith(message);
            assertThat(failure.reason()).isEqualTo(Reason.UNSUPPORTED);
        });
        assertThat(new HashSet<>(places.values())).hasSize(9);
    }

    public record Endless(Endless next) {}

    @Test
    void aRecordThatNeverEndsIsRefused() {
        GrammarException failure = catchThrowableOfType(
                GrammarException.class,
                () -> COMPILER.compile(RecordType.of(Endless.class).grammar()));
        assertThat(failure.reason()).isEqualTo(Reason.UNSATISFIABLE);
    }

    @Test
    void schemasCannotBeChangedFromOutside() {
        RecordType<Line> type = RecordType.of(Line.class);
        type.schema().removeAll();
        assertThat(type.schema()).isNotEqualTo(json("{}"));
    }
}

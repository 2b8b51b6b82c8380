package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.error.GrammarException;
import dev.mixtral.testing.Seeds;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// GBNF, Lark, patterns and choices.
class RuleGrammarTest {
    private static final Tokenizer TOKENIZER = Vocabularies.tiny();
    private static final GrammarCompiler COMPILER = new GrammarCompiler(TOKENIZER);

    private static void check(Grammar grammar, List<String> good, List<String> bad) {
        CompiledGrammar compiled = COMPILER.compile(grammar);
        good.forEach(text ->
                assertThat(Texts.accepts(compiled, TOKENIZER, text)).as(text).isTrue());
        bad.forEach(text ->
                assertThat(Texts.accepts(compiled, TOKENIZER, text)).as(text).isFalse());
    }

    private static final String ARITHMETIC = """
            # sums of products
            root  ::= (expr "=" ws term "\\n")+
            expr  ::= term ([-+*/] term)*
            term  ::= ident | num | "(" ws expr ")" ws
            ident ::= [a-z] [a-z0-9_]* ws
            num   ::= [0-9]{1,4} ws
            ws    ::= [ \\t]?
            """;

    @Test
    void gbnf() {
        check(
                new Grammar.Gbnf(ARITHMETIC),
                List.of("a=1\n", "(a+b)*3= (1)\nx=2\n", "((((1)))) = 2\n"),
                List.of("a=1", "a==1\n", "(a=1\n", "12345=1\n", ""));
    }

    @Test
    void gbnfCountsBrackets() {
        check(
                new Grammar.Gbnf("root ::= \"\" | \"a\" root \"b\""),
                List.of("ab", "aabb", "aaaaabbbbb"),
                List.of("a", "abb", "aab", "ba"));
    }

    @Test
    void gbnfRightAndLeftRecursion() {
        check(new Grammar.Gbnf("root ::= [a-c] root | \".\""), List.of(".", "abcabc."), List.of("abc", ".a"));
        check(new Grammar.Gbnf("root ::= root \"+\" [0-9] | [0-9]"), List.of("1", "1+2+3"), List.of("1+", "+1"));
    }

    @Test
    void nestedOptionalRepetitions() {
        check(
                new Grammar.Gbnf("root ::= ((\"a\" p?)* | \"b\")* \"!\"\np ::= \"(\" p? \")\""),
                List.of("!", "ab!", "a(())ba()!", "bbaa!"),
                List.of("a", "a(!", "(()!"));
    }

    @Test
    void gbnfFaultsNameTheirLine() {
        assertThatThrownBy(() -> COMPILER.compile(new Grammar.Gbnf("root ::= \"a\"\nx ::= y ]")))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("line 2");
        assertThatThrownBy(() -> COMPILER.compile(new Grammar.Gbnf("root ::= nothing")))
                .hasMessageContaining("there is no rule 'nothing'");
        assertThatThrownBy(() -> COMPILER.compile(new Grammar.Gbnf("root ::= a \"x\"\na ::= root \"y\" | \"z\"")))
                .hasMessageContaining("begins with itself");
        assertThatThrownBy(() -> COMPILER.compile(new Grammar.Gbnf("root ::= \"a\" root")))
                .hasMessageContaining("no text can be derived");
        assertThatThrownBy(() -> COMPILER.compile(new Grammar.Gbnf("x ::= \"a\"")))
                .hasMessageContaining("no rule 'root'");
        assertThatThrownBy(() -> COMPILER.compile(new Grammar.Gbnf("root ::= <token>")))
                .hasMessageContaining("line 1");
    }

    @Test
    void lark() {
        String grammar = """
                // a list of pairs
                start: pair ("," pair)*
                pair: NAME "=" (NUMBER | "[" start "]") -> assignment
                NAME: /[a-z]+/
                NUMBER: DIGIT~1..3
                DIGIT: "0".."9"
                %ignore /[ \\n]/
                """;
        check(
                new Grammar.Lark(grammar),
                List.of("a=1", "a = 12 , bc=[ d=3,e=4 ]", "a=\n1\n"),
                List.of("a=1234", "a=", "a=[b=1", "1=a", ",a=1"));
    }

    @Test
    void larkBeyondTheSubsetIsRefused() {
        for (String line : List.of("%import common.NUMBER", "a{x}: x", "A.2: \"x\"", "a: \"x\"i", "a: /x/i")) {
            assertThatThrownBy(() -> COMPILER.compile(new Grammar.Lark("start: \"a\"\n" + line)))
                    .as(line)
                    .isInstanceOf(GrammarException.class)
                    .hasMessageContaining("line 2");
        }
    }

    @Test
    void patterns() {
        check(
                new Grammar.Regex("[A-Z][a-z]+( [A-Z][a-z]+){0,2}"),
                List.of("Ada", "Ada Lovelace"),
                List.of("ada", "Ada ", " Ada", "Ada L"));
    }

    @Test
    void choices() {
        check(
                new Grammar.Choice(List.of("yes", "yesterday", "no é")),
                List.of("yes", "no é", "yesterday"),
                List.of("ye", "no", "yesno"));
        assertThatThrownBy(() -> COMPILER.compile(new Grammar.Choice(List.of())))
                .hasMessageContaining("there is no choice");
    }

    @Test
    void walksThroughRulesEndAndParseAgain() {
        Random random = Seeds.random("walks through rules");
        CompiledGrammar grammar = COMPILER.compile(new Grammar.Gbnf(ARITHMETIC));
        for (int i = 0; i < 20; i++) {
            String text = Texts.walk(grammar, TOKENIZER, random, 15).orElseThrow();
            assertThat(Texts.accepts(grammar, TOKENIZER, text)).as(text).isTrue();
        }
    }

    @Test
    void theFirstSpaceOfAnAnswerIsTheDecoders() {
        CompiledGrammar grammar = COMPILER.compile(new Grammar.Choice(List.of("yes", " no")));
        GrammarMatcher matcher = grammar.matcher();
        int[] yes = TOKENIZER.encode("yes");
        assertThat(TOKENIZER.decode(yes)).isEqualTo("yes");
        for (int id : yes) {
            assertThat(matcher.mask().allows(id)).isTrue();
            assertThat(matcher.accept(id)).isTrue();
        }
        assertThat(matcher.isEnd()).isTrue();
        assertThat(Texts.accepts(grammar, TOKENIZER, " no")).isTrue();
        assertThat(Texts.accepts(grammar, TOKENIZER, "no")).isFalse();
        GrammarMatcher continuation = grammar.continuationMatcher();
        for (int id : TOKENIZER.encodeContinuation(" no")) {
            assertThat(continuation.accept(id)).isTrue();
        }
        assertThat(continuation.isComplete()).isTrue();
    }

    @Test
    void forcedBytesAndCopies() {
        GrammarMatcher matcher =
                COMPILER.compile(new Grammar.Regex("abc(d|e)f")).continuationMatcher();
        assertThat(matcher.forcedBytes(10))
                .asString(java.nio.charset.StandardCharsets.UTF_8)
                .isEqualTo("abc");
        GrammarMatcher copy = matcher.copy();
        for (int id : TOKENIZER.encodeContinuation("abce")) {
            assertThat(copy.accept(id)).isTrue();
        }
        assertThat(copy.forcedBytes(10))
                .asString(java.nio.charset.StandardCharsets.UTF_8)
                .isEqualTo("f");
        assertThat(matcher.forcedBytes(2)).hasSize(2);
        assertThat(copy.accept(TOKENIZER.eosId())).isFalse();
    }

    @Test
    void equalGrammarsAreCompiledOnce() {
        assertThat(COMPILER.compile(new Grammar.Regex("x+"))).isSameAs(COMPILER.compile(new Grammar.Regex("x+")));
    }

    /// Each rule twice in the one before it: texts are as many as 2^60, rules are not.
    @Test
    void sharedRulesAreReadOnce() {
        StringBuilder text = new StringBuilder("root ::= r0\n");
        for (int i = 0; i < 60; i++) {
            text.append("r%d ::= \"a\" r%d | \"b\" r%d | \"c\"\n".formatted(i, i + 1, i + 1));
        }
        check(
                new Grammar.Gbnf(text + "r60 ::= \"d\""),
                List.of("c", "abc", "ab".repeat(30) + "d"),
                List.of("d", "aba"));
    }

    @Test
    void longChainsOfRulesEndInAMessage() {
        for (int length : new int[] {1_900, 100_000}) {
            StringBuilder text = new StringBuilder("root ::= r0\n");
            for (int i = 0; i < length; i++) {
                text.append("r%d ::= \"x\" r%d \"y\" r%d | \"z\"\n".formatted(i, (i + 1) % length, i));
            }
            try {
                COMPILER.compile(new Grammar.Gbnf(text.toString()));
            } catch (GrammarException e) {
                assertThat(e.reason()).isEqualTo(GrammarException.Reason.TOO_LARGE);
            }
        }
    }

    @Test
    void rulesThatLeadBackOverOthersAreFollowed() {
        check(
                new Grammar.Gbnf("root ::= a\na ::= \"(\" b \")\" | \"x\"\nb ::= c c?\nc ::= a | \"-\""),
                List.of("x", "(-)", "((-)(x-))", "(x)"),
                List.of("()", "-", "(xxx)"));
    }
}

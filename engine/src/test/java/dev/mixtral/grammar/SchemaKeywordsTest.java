package dev.mixtral.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.grammar.Grammar.JsonSchema;
import dev.mixtral.grammar.Grammar.KeyOrder;
import dev.mixtral.tokenizer.Tokenizer;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

/// For each keyword: texts that its grammar takes, and texts that it does not.
class SchemaKeywordsTest {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(tools.jackson.databind.DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();
    private static final Tokenizer TOKENIZER = Vocabularies.tiny();
    private static final GrammarCompiler COMPILER = new GrammarCompiler(TOKENIZER);

    /// @param schema with single quotes in place of double ones
    /// @param good texts of the language, quoted likewise
    /// @param bad texts outside of it
    record Case(String schema, List<String> good, List<String> bad) {
        @Override
        public String toString() {
            return schema;
        }
    }

    private static Case of(String schema, String good, String bad) {
        return new Case(schema, List.of(good.split(" ¦ ")), List.of(bad.split(" ¦ ")));
    }

    static Stream<Case> cases() {
        return Stream.of(
                of("{'type':'null'}", "null", "0 ¦ false ¦ nul"),
                of("{'type':'boolean'}", "true ¦ false", "0 ¦ null ¦ 'true'"),
                of("{'type':'integer'}", "0 ¦ -1 ¦ 12345678901234567890", "1.5 ¦ 01 ¦ -0 ¦ +1 ¦ 1e3 ¦ 'a'"),
                of("{'type':'number'}", "0 ¦ -1.50 ¦ 1e3 ¦ 2.5E-10 ¦ -0", "01 ¦ .5 ¦ 1. ¦ 1e ¦ NaN"),
                of("{'type':'string'}", "'' ¦ 'a b' ¦ 'é世😀' ¦ '\\n\\\\' ¦ '\\u0001\\u001F\\u001f'", "'\\x' ¦ a ¦ 'a"),
                of("{'type':['string','null']}", "'x' ¦ null", "1 ¦ [] ¦ {}"),
                of(
                        "{'enum':['a',1,null,[1,{'b':2}],1.5]}",
                        "'a' ¦ 1 ¦ null ¦ [1,{'b':2}] ¦ 1.5",
                        "'b' ¦ 2 ¦ [1] ¦ 1.51"),
                of("{'const':{'a':[true]}}", "{'a':[true]} ¦ {'a': [true]}", "{'a':[false]} ¦ {} ¦ {'a':[true],'b':1}"),
                of("{'const':''}", "''", "'a'"),
                of("{'enum':[0,10,2.50,-7]}", "0 ¦ 10 ¦ 2.5 ¦ 2.50 ¦ -7", "1 ¦ 2 ¦ 2.05 ¦ 100 ¦ 7"),
                of("{'not':{'enum':[0,10,2.5]}}", "1 ¦ 2.05 ¦ 'a'", "0 ¦ 0.0 ¦ -0 ¦ 10.0 ¦ 2.50"),
                of(
                        "{'oneOf':[{'const':'a','title':'A'},{'enum':['b',1,1.0]},{'const':1.0},{'const':'c'},{'enum':[null,'c']}]}",
                        "'a' ¦ 'b' ¦ null",
                        "1 ¦ 'c' ¦ 'd' ¦ 1.0"),
                of(
                        "{'anyOf':[{'const':'a'},{'const':1},{'enum':['a',false]}],'type':['string','boolean']}",
                        "'a' ¦ false",
                        "1 ¦ true"),
                of("{'minimum':2.5}", "2.5 ¦ 3 ¦ 2.50 ¦ 100 ¦ 'x' ¦ null ¦ {}", "2.49 ¦ 2 ¦ -3 ¦ 0"),
                of("{'maximum':-2}", "-2 ¦ -2.0 ¦ -10", "-1.9 ¦ 0 ¦ 2 ¦ -1.99999"),
                of("{'type':'integer','minimum':9,'maximum':101}", "9 ¦ 10 ¦ 99 ¦ 101", "8 ¦ 102 ¦ 1000 ¦ -9 ¦ 9.5"),
                of("{'exclusiveMinimum':0,'exclusiveMaximum':1}", "0.5 ¦ 0.00001 ¦ 0.99", "0 ¦ 1 ¦ 0.0 ¦ 1.0 ¦ -0"),
                of(
                        "{'$schema':'http://json-schema.org/draft-04/schema#','minimum':1,'exclusiveMinimum':true}",
                        "1.1 ¦ 2",
                        "1 ¦ 1.0 ¦ 0"),
                of("{'multipleOf':0.01}", "0.01 ¦ 1.5 ¦ 7 ¦ -3.25 ¦ 0 ¦ 4.350", "0.001 ¦ 1.005"),
                of("{'multipleOf':7,'minimum':10,'maximum':30}", "14 ¦ 21 ¦ 28 ¦ 14.0", "7 ¦ 15 ¦ 35 ¦ 0"),
                of("{'minLength':2,'maxLength':3}", "'ab' ¦ 'abc' ¦ '😀é' ¦ '\\n\\n' ¦ 5", "'a' ¦ 'abcd' ¦ '' ¦ '😀'"),
                of("{'minLength':1,'maxLength':131072}", "'a' ¦ 'abc' ¦ 5", "''"),
                of("{'pattern':'b+c'}", "'abc' ¦ 'bbcx' ¦ 3", "'ab' ¦ 'c' ¦ ''"),
                of("{'pattern':'^a.?$','maxLength':1}", "'a'", "'ab' ¦ 'b' ¦ ''"),
                of("{'pattern':'^(?!foo)[a-z]+$'}", "'bar' ¦ 'fo'", "'foo' ¦ 'foobar' ¦ ''"),
                of("{'pattern':'^\\\\d{3}-\\\\w+$'}", "'123-a_B'", "'12-a' ¦ '123-' ¦ '123-é'"),
                of("{'pattern':'^\\\\p{Lu}\\\\u00e9$'}", "'Éé' ¦ 'Xé'", "'xé' ¦ 'X'"),
                of(
                        "{'format':'date'}",
                        "'2024-02-29' ¦ '2000-02-29' ¦ '2023-12-31'",
                        "'2023-02-29' ¦ '1900-02-29' ¦ '2024-13-01' ¦ '2024-04-31'"),
                of(
                        "{'format':'date-time'}",
                        "'2024-01-02T03:04:05Z' ¦ '2016-12-31T23:59:60Z' ¦ '2024-01-02t03:04:05.123+01:00'",
                        "'2024-01-02' ¦ '2024-01-02T24:00:00Z' ¦ '2024-01-02T03:04:05'"),
                of(
                        "{'format':'ipv6'}",
                        "'::1' ¦ '1:2:3:4:5:6:7:8' ¦ 'fe80::1:2' ¦ '::ffff:1.2.3.4' ¦ '::'",
                        "'1:2:3' ¦ ':::' ¦ '1::2::3' ¦ '12345::' ¦ '1:2:3:4:5:6:7:8:9'"),
                of(
                        "{'format':'date-time'}",
                        "'1998-12-31T15:59:60.123-08:00' ¦ '2015-06-30T23:59:60z' ¦ '2017-01-01T00:59:60+01:00'",
                        "'1998-12-31T15:59:60-07:00' ¦ '1998-12-31T22:59:60Z' ¦ '2024-06-30T23:59:60Z' ¦ '2016-12-31T00:59:60+01:00' ¦ '1998-12-31T15:59:60.-08:00'"),
                of(
                        "{'format':'time'}",
                        "'00:29:60-23:30' ¦ '23:29:60+23:30' ¦ '01:02:03Z'",
                        "'24:29:60-23:30' ¦ '00:30:60-23:30' ¦ '00:29:61-23:30' ¦ '00:29:60'"),
                of(
                        "{'format':'email'}",
                        "'a.b@c.de' ¦ '\\\"a b..c@d\\\"@e.f' ¦ 'a@[127.0.0.1]' ¦ 'a@[IPv6:::1]'",
                        "'a' ¦ '@b.c' ¦ 'a..b@c.de' ¦ 'a@-b.c' ¦ 'a@[127.0.0]' ¦ 'a\\\"b\\\"@c.d' ¦ 'ä@b.c' ¦ 'a@b@c'"),
                of(
                        "{'format':'idn-email'}",
                        "'a.b@c.de' ¦ '실례@실례.테스트' ¦ 'δοκιμή@bücher.example'",
                        "'실례' ¦ '@실례.테스트' ¦ 'a@-ü.de' ¦ 'a@ü--a.de' ¦ 'a@ﬁ.de'"),
                of("{'format':'iri'}", "'http://ƒøø.ßår/?q=\uDB80\uDC00' ¦ 'http://[V1.fe]'", "'http://a.b/ü ' ¦ '/ü'"),
                of("{'format':'uri-template'}", "'a{c*}' ¦ 'ü/{?x,y:3}'", "'{' ¦ 'a b' ¦ '{a b}'"),
                of(
                        "{'format':'uuid'}",
                        "'2eb8aa08-aa98-11ea-b4aa-73b441d16380'",
                        "'2eb8aa08-aa98-11ea-b4aa-73b441d1638' ¦ ''"),
                of(
                        "{'format':'uri'}",
                        "'http://a.b/c?d#e' ¦ 'urn:x:y' ¦ 'mailto:a@b.c'",
                        "'//a' ¦ 'a b' ¦ 'http://a.b/ ' ¦ ''"),
                of("{'format':'duration'}", "'P1Y2M3DT4H5M6S' ¦ 'P4W' ¦ 'PT36H'", "'P' ¦ 'P1YT' ¦ 'P1D2H' ¦ 'P1Y1D'"),
                of(
                        "{'format':'regex'}",
                        "'^[a-z]{3,16}$' ¦ '(a|b){2,}?' ¦ 'x{0,9}y{10,10}z{7,128}' ¦ '\\\\d{4}'",
                        "'a{3,2}' ¦ 'a{21,12}' ¦ 'a{5,03}' ¦ '*' ¦ '(' ¦ '\\\\'"),
                of(
                        "{'type':'string','not':{'format':'date'}}",
                        "'2023-02-29' ¦ '' ¦ '2024-2-1'",
                        "'2024-02-29' ¦ '2023-02-28' ¦ 5"),
                // What is left out of a format does not get in by its negation.
                of(
                        "{'type':'string','not':{'format':'hostname'}}",
                        "'a b' ¦ 'é' ¦ 'b/c'",
                        "'a.b' ¦ 'xn--4gbwdl' ¦ 'a--'"),
                of(
                        "{'oneOf':[{'format':'hostname'},{'format':'ipv4'},{'format':'ipv6'}]}",
                        "'a.b' ¦ '::1' ¦ '1::'",
                        "'127.0.0.1' ¦ '' ¦ 5"),
                of(
                        "{'oneOf':[{'type':'string','format':'date'},{'type':'string','format':'date-time'}]}",
                        "'2024-02-29' ¦ '2024-01-02T03:04:05Z'",
                        "'2024-01-02T' ¦ '2024-02-30'"),
                of(
                        "{'if':{'properties':{'a':{'format':'uuid'}},'required':['a']},'then':{'required':['b']}}",
                        "{'a':'x'} ¦ {'a':'2eb8aa08-aa98-11ea-b4aa-73b441d16380','b':1} ¦ {'c':1}",
                        "{'a':'2eb8aa08-aa98-11ea-b4aa-73b441d16380'}"),
                of("{'format':'made-up'}", "'anything' ¦ 4", "'"),
                of(
                        "{'type':'object'}",
                        "{} ¦ {'a':1} ¦ { 'a' : [] } ¦ {\n  'a': {},\n  'b': 2\n}",
                        "[] ¦ {'a'} ¦ {'a':1,} ¦ {'a':1,'a':2} ¦ {'a':  1}"),
                of(
                        "{'properties':{'a':{'type':'integer'}}}",
                        "{'a':1} ¦ {} ¦ {'b':'x','a':2} ¦ 5",
                        "{'a':'x'} ¦ {'b':1,'a':null}"),
                of(
                        "{'required':['a','b']}",
                        "{'a':1,'b':2} ¦ {'b':1,'c':0,'a':2} ¦ []",
                        "{'a':1} ¦ {} ¦ {'b':1,'c':2}"),
                of("{'properties':{'a':{}},'additionalProperties':false}", "{'a':1} ¦ {}", "{'b':1} ¦ {'a':1,'b':2}"),
                of(
                        "{'properties':{'a':{}},'additionalProperties':{'type':'null'}}",
                        "{'a':1,'b':null} ¦ {'c':null,'b':null}",
                        "{'b':1} ¦ {'b':null,'b':null}"),
                of(
                        "{'patternProperties':{'^x':{'type':'integer'},'y$':{'minimum':5}}}",
                        "{'xa':1} ¦ {'xy':7} ¦ {'ay':'s'} ¦ {'z':[]}",
                        "{'xa':'s'} ¦ {'xy':4} ¦ {'xy':'s'} ¦ {'by':2}"),
                of(
                        "{'propertyNames':{'maxLength':2},'properties':{'abc':{}}}",
                        "{'ab':1} ¦ {}",
                        "{'abc':1} ¦ {'xyz':1}"),
                of(
                        "{'minProperties':1,'maxProperties':2,'properties':{'a':{},'b':{},'c':{}}}",
                        "{'a':1} ¦ {'a':1,'c':2} ¦ {'z':0,'y':1}",
                        "{} ¦ {'a':1,'b':2,'c':3} ¦ {'a':1,'b':2,'z':3}"),
                of("{'dependentRequired':{'a':['b']}}", "{'b':1} ¦ {'a':1,'b':2} ¦ {}", "{'a':1} ¦ {'a':1,'c':2}"),
                of(
                        "{'dependencies':{'a':{'required':['c']},'b':['a']}}",
                        "{'c':1} ¦ {'a':1,'c':1} ¦ {'b':1,'a':1,'c':1}",
                        "{'a':1} ¦ {'b':1} ¦ {'b':1,'a':1}"),
                of(
                        "{'dependentSchemas':{'a':{'properties':{'b':{'type':'null'}}}}}",
                        "{'b':1} ¦ {'a':1,'b':null}",
                        "{'a':1,'b':2}"),
                of("{'items':{'type':'integer'}}", "[] ¦ [1] ¦ [1, 2] ¦ {}", "['a'] ¦ [1,'a'] ¦ [1,]"),
                of(
                        "{'prefixItems':[{'type':'integer'},{'type':'string'}],'items':false}",
                        "[] ¦ [1] ¦ [1,'a']",
                        "['a'] ¦ [1,'a',2]"),
                of(
                        "{'items':[{'type':'integer'}],'additionalItems':{'type':'null'}}",
                        "[1,null] ¦ []",
                        "[1,1] ¦ [null]"),
                of(
                        "{'minItems':2,'maxItems':3,'items':{'type':'boolean'}}",
                        "[true,false] ¦ [true,true,true]",
                        "[true] ¦ [] ¦ [true,true,true,true]"),
                of(
                        "{'contains':{'const':1},'minContains':2,'maxContains':3}",
                        "[1,1] ¦ [0,1,'a',1,1]",
                        "[1] ¦ [] ¦ [1,1,1,1]"),
                of(
                        "{'uniqueItems':true,'items':{'type':['integer','string']}}",
                        "[1,2,'1'] ¦ [] ¦ ['a','b']",
                        "[1,1] ¦ ['a','b','a']"),
                of(
                        "{'uniqueItems':true,'items':{'type':'object','properties':{'a':{'type':'integer'}}}}",
                        "[{'a':1},{'a':2}] ¦ [{}]",
                        "[{'a':1},{'a':1}] ¦ [{},{}]"),
                of("{'uniqueItems':true,'items':{'enum':['a','b']}}", "['a','b'] ¦ ['b']", "['a','b','a'] ¦ ['a','a']"),
                of("{'allOf':[{'required':['a']},{'properties':{'a':{'minimum':3}}}]}", "{'a':3}", "{'a':2} ¦ {}"),
                of("{'anyOf':[{'type':'integer'},{'minLength':2}]}", "1 ¦ 'ab' ¦ null", "'a'"),
                of("{'oneOf':[{'type':'integer'},{'minimum':2}]}", "1 ¦ 2.5 ¦ 'x'", "3 ¦ 1.5"),
                of(
                        "{'oneOf':[{'required':['a']},{'required':['b']}]}",
                        "{'a':1} ¦ {'b':1,'c':2}",
                        "{'a':1,'b':2} ¦ {} ¦ 5"),
                of(
                        "{'type':'object','not':{'properties':{'a':{'type':'integer'}},'required':['a','b']}}",
                        "{} ¦ {'a':'x','b':1} ¦ {'b':1} ¦ {'a':1}",
                        "{'a':1,'b':2} ¦ {'b':2,'a':3,'c':1} ¦ 5"),
                of("{'type':'object','not':{'required':['a']}}", "{'b':1} ¦ {}", "{'a':1} ¦ {'b':1,'a':2}"),
                of("{'not':{'type':['string','object']}}", "1 ¦ [] ¦ null", "'a' ¦ {}"),
                of(
                        "{'not':{'additionalProperties':{'type':'integer'}}}",
                        "{'a':'x'} ¦ {'a':1,'b':null}",
                        "{} ¦ {'a':1} ¦ 5"),
                of("{'type':'array','not':{'items':{'type':'integer'}}}", "['a'] ¦ [1,'a',2]", "[] ¦ [1,2]"),
                of(
                        "{'if':{'properties':{'a':{'const':1}},'required':['a']},'then':{'required':['b']},'else':{'required':['c']}}",
                        "{'a':1,'b':0} ¦ {'c':0} ¦ {'a':2,'c':1}",
                        "{'a':1} ¦ {} ¦ {'a':2,'b':1}"),
                of(
                        "{'properties':{'a':{}},'unevaluatedProperties':false,'anyOf':[{'properties':{'b':{'type':'null'}},'required':['b']},{'properties':{'c':{}}}]}",
                        "{'a':1} ¦ {'b':null} ¦ {'a':1,'b':null,'c':3} ¦ {'c':1}",
                        "{'d':1} ¦ {'b':2} ¦ {'b':null,'d':1}"),
                of(
                        "{'prefixItems':[{}],'unevaluatedItems':{'type':'null'},'contains':{'const':7}}",
                        "[7] ¦ [1,7,null] ¦ [7,null]",
                        "[1,7,2] ¦ [null]"),
                of(
                        "{'$ref':'#/$defs/t','$defs':{'t':{'type':'object','properties':{'n':{'$ref':'#/$defs/t'}},'additionalProperties':false}}}",
                        "{} ¦ {'n':{'n':{}}}",
                        "{'n':1} ¦ {'n':{'m':{}}}"),
                of(
                        "{'$id':'http://x.y/a','$ref':'b#c','$defs':{'q':{'$id':'b','$defs':{'r':{'$anchor':'c','type':'null'}}}}}",
                        "null",
                        "1"),
                of(
                        "{'$schema':'http://json-schema.org/draft-07/schema#','$ref':'#/definitions/a','type':'string','definitions':{'a':{'type':'integer'}}}",
                        "1",
                        "'a'"),
                of(
                        "{'$defs':{'n':{'$dynamicAnchor':'n','properties':{'k':{'$dynamicRef':'#n'}},'type':'object'}},'$ref':'#/$defs/n'}",
                        "{'k':{'k':{}}}",
                        "{'k':1}"),
                // The outermost schema on the way has the say.
                of(
                        "{'$id':'http://x.y/strict','$dynamicAnchor':'n','$ref':'tree','unevaluatedProperties':false,'$defs':{'t':{'$id':'tree','$dynamicAnchor':'n','type':'object','properties':{'d':true,'k':{'$dynamicRef':'#n'}}}}}",
                        "{'d':1} ¦ {'k':{'d':1}} ¦ {'k':{'k':{}}}",
                        "{'e':1} ¦ {'k':{'e':1}} ¦ {'k':1}"),
                of(
                        "{'$schema':'https://json-schema.org/draft/2019-09/schema','$id':'http://x.y/o','$recursiveAnchor':true,'anyOf':[{'type':'integer'},{'$ref':'i'}],'$defs':{'i':{'$id':'i','$recursiveAnchor':true,'type':'object','additionalProperties':{'$recursiveRef':'#'}}}}",
                        "1 ¦ {'a':1} ¦ {'a':{'b':2}}",
                        "'x' ¦ {'a':'x'}"),
                // What only looks like a schema has no name.
                of(
                        "{'$ref':'http://x.y/q','made-up':{'$id':'http://x.y/q','type':'string'},'$defs':{'a':{'$id':'http://x.y/q','type':'null'}}}",
                        "null",
                        "'a' ¦ 1"),
                // Older drafts do not have the keywords of newer ones.
                of(
                        "{'$schema':'http://json-schema.org/draft-04/schema#','const':1,'contains':false,'if':true,'then':false,'dependentRequired':{'a':['b']},'propertyNames':false}",
                        "2 ¦ [1] ¦ {'a':1}",
                        "{'a'}"),
                of(
                        "{'pattern':'^\\\\p{Letter}\\\\P{Lu}\\\\p{LC}\\\\p{Dash_Punctuation}\\\\p{Script=Greek}$'}",
                        "'aaa-α'",
                        "'1aa-α' ¦ 'aAa-α' ¦ 'aa1-α' ¦ 'aaa_α' ¦ 'aaa-a'"),
                of("{'$ref':'#/definitions/a','definitions':{'a':{'type':'null'}}}", "null", "1"),
                of(
                        "{'properties':{'s':{'$ref':'https://json-schema.org/draft/2020-12/schema'}}}",
                        "{'s':{'type':'string','not':{'minLength':3}}} ¦ {'s':true}",
                        "{'s':{'type':'str'}} ¦ {'s':{'not':{'minLength':-1}}} ¦ {'s':1}"),
                of(
                        "{'$schema':'https://json-schema.org/draft/2019-09/schema','items':{'$ref':'https://json-schema.org/draft/2019-09/schema'}}",
                        "[{'items':{'type':'array'}}]",
                        "[{'items':{'type':1}}]"),
                of(
                        "{'$ref':'http://json-schema.org/draft-07/schema#'}",
                        "{'properties':{'a':{'const':[1]}}}",
                        "{'properties':{'a':{'required':'a'}}}"),
                of(
                        "{'$schema':'http://json-schema.org/draft-04/schema#','properties':{'t':{'$ref':'http://json-schema.org/draft-04/schema#/properties/title'}}}",
                        "{'t':'a'}",
                        "{'t':1}"),
                of("true", "1 ¦ 'a' ¦ [{}]", "a"),
                of("{'type':'string','title':'x','default':3,'x-y':[1],'$comment':'c','examples':[]}", "'a'", "3"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void takesExactlyTheLanguage(Case example) {
        CompiledGrammar grammar = compile(example.schema(), KeyOrder.ANY);
        for (String text : example.good()) {
            assertThat(Texts.accepts(grammar, TOKENIZER, quoted(text)))
                    .as("valid %s", text)
                    .isTrue();
        }
        for (String text : example.bad()) {
            assertThat(Texts.accepts(grammar, TOKENIZER, quoted(text)))
                    .as("invalid %s", text)
                    .isFalse();
        }
    }

    private static String quoted(String text) {
        return text.replace('\'', '"');
    }

    private static CompiledGrammar compile(String schema, KeyOrder order) {
        return COMPILER.compile(new JsonSchema(MAPPER.readTree(quoted(schema)), order));
    }

    @Test
    void keysComeInTheOrderOfTheSchema() {
        CompiledGrammar grammar = compile("{'properties':{'b':{},'a':{}},'required':['a','z']}", KeyOrder.SCHEMA);
        assertThat(Texts.accepts(grammar, TOKENIZER, quoted("{'b':1,'a':2,'z':3,'x':4}")))
                .isTrue();
        assertThat(Texts.accepts(grammar, TOKENIZER, quoted("{'a':2,'z':3}"))).isTrue();
        assertThat(Texts.accepts(grammar, TOKENIZER, quoted("{'a':2,'b':1,'z':3}")))
                .isFalse();
        assertThat(Texts.accepts(grammar, TOKENIZER, quoted("{'x':4,'a':2,'z':3}")))
                .isFalse();
    }
}

package dev.mixtral.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mixtral.chat.Message;
import dev.mixtral.error.InvalidRequestException;
import dev.mixtral.error.MixtralException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Templates that try to get out, to stay, or to fill the memory.
class SandboxTest {
    private static final List<Message> MESSAGES = List.of(Message.user("hello"));

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{{ ''.class }}",
                "{{ ''['class'] }}",
                "{{ ''.getClass() }}",
                "{{ 'a'.bytes }}",
                "{{ messages.getClass() }}",
                "{{ messages.class.name }}",
                "{{ messages[0].getClass().forName('java.lang.Runtime') }}",
                "{{ messages[0].toString() }}",
                "{{ messages.add('x') }}",
                "{{ messages.append('x') }}",
                "{{ messages[0].put('role', 'x') }}",
                "{{ messages[0].update({'role': 'x'}) }}",
                "{{ (1).class }}",
                "{{ true.getClass() }}",
                "{{ loop.getClass() }}{% for m in messages %}{{ loop.class }}{% endfor %}",
                "{% for m in messages %}{{ loop.getClass() }}{% endfor %}",
                "{% for class, bytes in ['ab'] %}{{ class.name }}{% endfor %}",
                "{{ ____int3rpr3t3r____ }}",
                "{{ ____int3rpr3t3r____.config }}",
                "{{ ____int3rpr3t3r____.getConfig() }}",
                "{{ ____int3rpr3t3r____.render('x') }}",
                "{{ 'x'|attr('class') }}",
                "{{ filter:trim.getClass() }}",
                "{{ exptest:defined.getClass() }}",
                "{{ filter:render.filter('{{ 1 }}', 1) }}",
                "{{ '{{ 1 }}'|render }}",
                "{{ messages|map(attribute='class')|first|map('x') }}",
                "{{ 'x'|fromyaml }}",
                "{{ 'x'|ipaddr }}",
                "{% include '/etc/passwd' %}",
                "{% import 'file:///etc/passwd' as x %}",
                "{% from 'x' import y %}",
                "{% extends 'http://127.0.0.1/' %}",
                "{% do messages.clear() %}",
                "{% macro m() %}x{% endmacro %}{{ m.getClass() }}",
                "{{ namespace(a=1).getClass() }}",
                "{{ raise_exception.getClass() }}",
                "{{ range.getClass() }}",
                "{{ nosuchfunction() }}",
                "{{ 'x'|nosuchfilter }}",
                "{% nosuchtag %}",
                "{{ messages[5].content }}",
                "{{ 'a' + 1 }}",
                "{{ 'unclosed ",
                "{% if true %}unclosed",
                "{% for x in %}{% endfor %}",
            })
    void refusesWhatIsNotAllowed(String source) {
        assertThatThrownBy(() -> render(source)).isInstanceOf(InvalidRequestException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% for a in range(99999) %}{% for b in range(99999) %}{% set x = 1 %}{% endfor %}{% endfor %}",
                "{% for a in range(99999) %}{% for b in range(99999) %}{{ a * b }}{% endfor %}{% endfor %}",
                "{{ range(1000000000) }}",
                "{{ range(0, 9, 0)|length }}{{ range(100000000000) }}",
                "{{ 'x' * 1000000000 }}",
                "{{ ('x' * 1000000) * 1000000 }}",
                "{{ ' ' * 4000000 * 4000000 }}",
                "{% set ns = namespace(s='xxxxxxxxxx') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{% set ns = namespace(s='xxxxxxxxxx') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
                "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
                "{% set ns = namespace(l={}) %}{% for i in range(60) %}{% set ns.l = {'a': ns.l, 'b': ns.l} %}{% endfor %}"
                        + "{{ ns.l == 1 }}",
                "{% set ns = namespace(a=1) %}{% set ns.a = [ns] %}{{ ns }}",
                "{% set ns = namespace(a=1) %}{% set ns.a = ns %}{{ ns }}",
                "{% set s = 'x' * 100000 %}{{ s|replace('x', s) }}",
                "{% set s = 'x' * 100000 %}{{ s.replace('x', s) }}",
                "{% set s = 'x' * 1000000 %}{% set l = [s, s, s, s, s, s, s, s, s, s] %}{{ l|join(s) }}",
                "{% set s = 'x' * 1000000 %}{% set l = [s, s, s, s, s, s, s, s, s, s] %}{{ l|tojson }}{{ l }}",
                "{{ 'x\n'|indent(1000000000) }}",
                "{{ messages|tojson(indent=1000000000) }}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(1) }}",
                "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
            })
    void endsWhatWouldNotEnd(String source) throws InterruptedException {
        Instant start = Instant.now();
        assertThatThrownBy(() -> render(source)).isInstanceOf(InvalidRequestException.class);
        assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(5));
        assertNoThreadIsLeft();
    }

    @Test
    void survivesDeepNesting() throws InterruptedException {
        for (String source : List.of(
                "{{ " + "(".repeat(30_000) + "1" + ")".repeat(30_000) + " }}",
                "{{ " + "[".repeat(30_000) + "]".repeat(30_000) + " }}",
                "{{ " + "not ".repeat(15_000) + "1 }}",
                "{{ 1" + " + 1".repeat(15_000) + " }}",
                "{{ 'a'" + "|upper".repeat(10_000) + " }}",
                "{% if 1 %}".repeat(3_000) + "{% endif %}".repeat(3_000),
                "{{ " + "{'a':".repeat(10_000) + "1" + "}".repeat(10_000) + " }}")) {
            try {
                render(source);
            } catch (MixtralException e) {
                assertThat(e).isInstanceOf(InvalidRequestException.class);
            }
        }
        assertNoThreadIsLeft();
    }

    @Test
    void refusesHugeSource() {
        assertThatThrownBy(() -> render("x".repeat(70_000))).isInstanceOf(MixtralException.class);
    }

    @Test
    void doesNotRunWhatMessagesSay() {
        String text = "{{ 7 * 7 }} {% raw %} {# note #} {%- if true %}x{% endif %} ${7*7} #{7*7} \\n";
        var template = new JinjaChatTemplate(
                "{% set x = messages[0].content %}{% macro m(t) %}{{ t }}{% endmacro %}{{ x }}|{{ m(x) }}|{{ [x]|first }}",
                SmallTokenizer.open());
        assertThat(template.render(List.of(Message.user(text)), List.of()).text())
                .isEqualTo(text + "|" + text + "|" + text);
    }

    private static String render(String source) {
        return new JinjaChatTemplate(source, SmallTokenizer.open())
                .render(MESSAGES, List.of())
                .text();
    }

    private static void assertNoThreadIsLeft() throws InterruptedException {
        for (int round = 0; round < 100; round++) {
            if (Thread.getAllStackTraces().keySet().stream().noneMatch(RenderThread.class::isInstance)) {
                return;
            }
            Thread.sleep(20);
        }
        throw new AssertionError("a render thread is still running");
    }
}

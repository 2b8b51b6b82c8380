package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class SchemaCommandTest {
    private static CommandRun run(String input, String... args) {
        return CommandRun.of(Path.of(System.getProperty("mixtral.home", "..")), input, args);
    }

    @Test
    void tellsWhichInstancesTheGrammarAccepts() {
        CommandRun run = run(
                "{\"id\":7,\"schema\":{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]},"
                        + "\"valid\":[{\"b\":1.50,\"a\":2},5],\"invalid\":[{\"a\":1.5},{}]}\n",
                "schema");

        assertThat(run.out())
                .isEqualTo("{\"id\":7,\"compiled\":true,\"valid\":[true,true],\"invalid\":[false,false]}\n");
        assertThat(run.exitCode()).isZero();
    }

    @Test
    void refusedSchemasNamePlaceAndKeyword() {
        CommandRun run = run(
                "{\"id\":\"x\",\"schema\":{\"properties\":{\"a\":{\"pattern\":\"\\\\bq\"}}},\"valid\":[1]}\n",
                "schema");

        assertThat(run.out()).startsWith("{\"id\":\"x\",\"compiled\":false,\"error\":\"#/properties/a: 'pattern' ");
        assertThat(run.exitCode()).isZero();
    }

    @Test
    void textsAreTakenAsTheyStand() {
        CommandRun run = run("""
                {"id":1,"schema":{"type":"object"},"text":["{  }","{ }"]}
                {"id":1,"text":["{\\"a\\":1,\\"a\\":2}","{\\"a\\": 1}"]}
                """, "schema");

        assertThat(run.out()).isEqualTo("""
                {"id":1,"compiled":true,"text":[false,true]}
                {"id":1,"compiled":true,"text":[false,true]}
                """);
    }

    @Test
    void keysCanBeHeldToTheOrderOfTheSchema() {
        String line = "{\"id\":1,\"schema\":{\"properties\":{\"a\":{},\"b\":{}}},\"valid\":[{\"b\":1,\"a\":2}]}\n";

        assertThat(run(line, "schema").out()).contains("\"valid\":[true]");
        assertThat(run(line, "schema", "--order", "schema").out()).contains("\"valid\":[false]");
    }

    @Test
    void aLineWithoutASchemaIsAnError() {
        CommandRun run = run("{\"id\":1,\"valid\":[]}\n", "schema");

        assertThat(run.out()).startsWith("{\"error\":\"expected a JSON Schema under");
        assertThat(run.exitCode()).isEqualTo(1);
    }
}

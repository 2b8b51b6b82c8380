package dev.mixtral.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.engine.Engine;
import dev.mixtral.engine.EngineConfig;
import dev.mixtral.sampling.SamplingParams;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ChatSessionTest {
    @TempDir
    private static Path folder;

    private static Engine engine;

    @BeforeAll
    static void loadModel() {
        String model = TestModel.writeTo(folder);
        engine = Engine.load(
                Path.of(model), EngineConfig.defaults().withNumThreads(1).withContextLength(256));
    }

    @AfterAll
    static void closeModel() {
        engine.close();
    }

    /// Lines as if typed; Ctrl-C is pressed by whoever holds [#interrupt].
    private static final class TypedLines implements LineSource {
        private final Queue<String> lines;
        private Runnable interrupt = () -> {};

        TypedLines(String... lines) {
            this.lines = new ArrayDeque<>(List.of(lines));
        }

        @Override
        public @Nullable String readLine(String prompt) {
            return lines.poll();
        }

        @Override
        public void onInterrupt(Runnable action) {
            interrupt = action;
        }

        @Override
        public void close() {}
    }

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private void chat(int maxTokens, TypedLines lines, OutputStream answers) {
        Terminal terminal = new Terminal(
                InputStream.nullInputStream(), Terminal.utf8(answers), Terminal.utf8(err), true, false, folder, false);
        SamplingParams params = SamplingParams.greedy()
                .maxTokens(maxTokens)
                .logitBias(Map.of(TestModel.EOS_ID, -1000f)) // random weights may end an answer at once
                .build();
        new ChatSession(engine, "", params, null, null, terminal).run(lines);
        terminal.flush();
    }

    private String messages() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theConversationIsKeptAndSaved() throws IOException {
        Path file = folder.resolve("chat.json");
        chat(3, new TypedLines("/system Be brief.", "one", "two", "/save " + file, "/exit", "three"), out);

        JsonNode messages = JsonLines.MAPPER.readTree(Files.readAllBytes(file)).get("messages");
        assertThat(messages.valueStream().map(message -> message.get("role").stringValue()))
                .containsExactly("system", "user", "assistant", "user", "assistant");
        assertThat(messages.get(3).get("content").stringValue()).isEqualTo("two");
        assertThat(out.toString(StandardCharsets.UTF_8).lines()).hasSizeGreaterThanOrEqualTo(2);
    }

    @Test
    void savingLeavesExistingFilesAlone() throws IOException {
        Path file = Files.writeString(folder.resolve("mine.json"), "mine");
        chat(1, new TypedLines("/save " + file), out);

        assertThat(file).hasContent("mine");
        assertThat(messages()).contains("Not saved");
    }

    @Test
    void commandsAnswerOnStderr() {
        chat(1, new TypedLines("/help", "/stats", "/reset", "/nonsense", ""), out);

        assertThat(out.toString(StandardCharsets.UTF_8)).isEmpty();
        assertThat(messages())
                .contains("/save FILE")
                .contains("Nothing was answered")
                .contains("forgotten");
        assertThat(messages()).contains("There is no command /nonsense");
    }

    @Test
    void ctrlCEndsTheAnswerAndNotTheChat() {
        TypedLines lines = new TypedLines("go on and on", "/stats");
        ByteArrayOutputStream pressing = new ByteArrayOutputStream() {
            private boolean pressed;

            @Override
            public synchronized void write(byte[] bytes, int offset, int length) {
                super.write(bytes, offset, length);
                if (!pressed) {
                    pressed = true;
                    lines.interrupt.run();
                }
            }
        };
        chat(0, lines, pressing);

        assertThat(messages()).contains("aborted:");
    }

    @Test
    void aTooLongConversationIsExplainedAndTheChatGoesOn() {
        chat(1, new TypedLines("x".repeat(2000), "/stats"), out);

        assertThat(messages())
                .contains("the context holds 256")
                .contains("/reset")
                .contains("Nothing was answered");
    }
}

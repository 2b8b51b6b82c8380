package dev.mixtral.server.logging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mixtral.server.RequestReport;
import dev.mixtral.server.RequestReport.Generated;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class LoggingTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private String logged() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @AfterEach
    void restoreTheJdksOwnLogging() throws IOException {
        LogManager.getLogManager().readConfiguration();
    }

    private static RequestReport report(String endpoint, int status) {
        Generated generated = new Generated(10, 4, 7, 1_500_000, 20_000_000, 3_000_000, List.of("stop", "length"));
        return new RequestReport(
                "req-1", "POST", endpoint, status, "tiny", "alice", true, 123_456_789, generated, null);
    }

    @Test
    void aRequestIsOneLineOfText() {
        LogSetup.install(out, LogLevel.INFO, LogFormat.TEXT);
        new RequestLog(false).requestEnded(report("/v1/chat/completions", 200));
        assertThat(logged())
                .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{3})?Z INFO    POST /v1/chat/completions 200"
                        + " request_id=req-1 method=POST route=/v1/chat/completions status=200 model=tiny client=alice"
                        + " stream=true duration_ms=123.456 prompt_tokens=10 cached_tokens=4 generated_tokens=7"
                        + " queue_ms=1.5 ttft_ms=20.0 tpot_ms=3.0 finish_reason=stop,length\n");
    }

    @Test
    void aRequestIsOneLineOfJson() {
        LogSetup.install(out, LogLevel.INFO, LogFormat.JSON);
        new RequestLog(false).requestEnded(report("/v1/chat/completions", 200));
        JsonNode line = JsonMapper.shared().readTree(logged());
        assertThat(Instant.parse(line.get("time").asString())).isBeforeOrEqualTo(Instant.now());
        assertThat(line.get("level").asString()).isEqualTo("info");
        assertThat(line.get("logger").asString()).isEqualTo("dev.mixtral.server.requests");
        assertThat(line.get("message").asString()).isEqualTo("POST /v1/chat/completions 200");
        assertThat(line.get("status").asInt()).isEqualTo(200);
        assertThat(line.get("duration_ms").asDouble()).isEqualTo(123.456);
        assertThat(line.get("generated_tokens").asInt()).isEqualTo(7);
        assertThat(line.get("client").asString()).isEqualTo("alice");
        assertThat(logged()).endsWith("}\n").hasLineCount(1);
    }

    @Test
    void aFailedRequestSaysWhyAndLeavesOutWhatThereIsNot() {
        LogSetup.install(out, LogLevel.INFO, LogFormat.TEXT);
        new RequestLog(false)
                .requestEnded(
                        new RequestReport("r", "GET", "other", 404, "", "", false, 0, null, "Invalid \"URL\"\n(x)"));
        assertThat(logged())
                .contains("INFO    GET other 404 request_id=r method=GET route=other status=404 stream=false"
                        + " duration_ms=0.0 error=\"Invalid \\\"URL\\\"\\n(x)\"\n")
                .doesNotContain("client", "tokens");
    }

    @ParameterizedTest
    @CsvSource({"/livez,200,false", "/metrics,200,false", "/readyz,503,true", "/v1/models,200,true"})
    void probesAndScrapesAreQuietUnlessTheyFail(String endpoint, int status, boolean written) {
        LogSetup.install(out, LogLevel.INFO, LogFormat.TEXT);
        new RequestLog(false).requestEnded(report(endpoint, status));
        assertThat(logged().isEmpty()).isEqualTo(!written);
        LogSetup.install(out, LogLevel.DEBUG, LogFormat.TEXT);
        new RequestLog(false).requestEnded(report(endpoint, status));
        assertThat(logged()).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource({"ERROR,1", "WARNING,2", "INFO,3", "DEBUG,4"})
    void theLevelDecidesWhatIsWritten(LogLevel level, int numLines) {
        LogSetup.install(out, level, LogFormat.TEXT);
        System.Logger logger = System.getLogger("test");
        logger.log(System.Logger.Level.ERROR, "an error");
        logger.log(System.Logger.Level.WARNING, "a warning");
        logger.log(System.Logger.Level.INFO, "info {0}", "with a parameter");
        logger.log(System.Logger.Level.DEBUG, "details");
        assertThat(logged()).hasLineCount(numLines);
        if (level.compareTo(LogLevel.INFO) >= 0) {
            assertThat(logged()).contains("INFO    info with a parameter\n");
        }
    }

    @Test
    void textsAreLoggedOnlyIfAskedFor() {
        LogSetup.install(out, LogLevel.INFO, LogFormat.JSON);
        assertThat(new RequestLog(false).wantsContent()).isFalse();
        RequestLog log = new RequestLog(true);
        assertThat(log.wantsContent()).isTrue();
        log.content(
                "req-1",
                "{\"a\":\"ä\"}".getBytes(StandardCharsets.UTF_8),
                "data: 1\n\n".getBytes(StandardCharsets.UTF_8));
        JsonNode line = JsonMapper.shared().readTree(logged());
        assertThat(line.get("request_id").asString()).isEqualTo("req-1");
        assertThat(line.get("request").asString()).isEqualTo("{\"a\":\"ä\"}");
        assertThat(line.get("answer").asString()).isEqualTo("data: 1\n\n");
    }

    @Test
    void longMessagesOfErrorsAreCutOff() {
        LogSetup.install(out, LogLevel.INFO, LogFormat.JSON);
        new RequestLog(false)
                .requestEnded(new RequestReport("r", "POST", "/x", 400, "", "", false, 0, null, "y".repeat(10_000)));
        assertThat(JsonMapper.shared().readTree(logged()).get("error").asString())
                .hasSize(201);
    }

    /// Logs while its JVM ends, as a server that finishes its requests does.
    static final class LateLogger {
        private LateLogger() {}

        public static void main(String[] args) {
            LogSetup.install(System.err, LogLevel.INFO, LogFormat.TEXT);
            Runtime.getRuntime().addShutdownHook(new Thread(LateLogger::logLate));
        }

        private static void logLate() {
            try {
                Thread.sleep(500);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            System.getLogger("late").log(System.Logger.Level.INFO, "the last request has ended");
        }
    }

    @Test
    void whatIsLoggedWhileTheProcessEndsIsWritten() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        LateLogger.class.getName())
                .start();
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        assertThat(err).contains("the last request has ended\n");
    }

    @ParameterizedTest
    @EnumSource(LogFormat.class)
    void aFailuresStackTraceIsWritten(LogFormat format) {
        LogRecord entry = new LogRecord(Level.SEVERE, "broken");
        entry.setThrown(new IllegalStateException("why"));
        assertThat(LogSetup.formatter(format).format(entry))
                .contains(
                        "broken", "java.lang.IllegalStateException: why", "at dev.mixtral.server.logging.LoggingTest");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\rb", "a\u001b[31mb", "a\u2028b", "a\u0085b"})
    void noMessagePassesForAnotherLine(String message) {
        for (LogFormat format : LogFormat.values()) {
            String line = LogSetup.formatter(format).format(new LogRecord(Level.INFO, message));
            assertThat(line.substring(0, line.length() - 1)).as(format.name()).doesNotContain("\n", "\r", "\u001b");
        }
        assertThat(LogSetup.formatter(LogFormat.TEXT).format(new LogRecord(Level.INFO, message)))
                .doesNotContain(message);
    }
}

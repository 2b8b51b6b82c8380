package dev.mixtral.train.report;

import dev.mixtral.format.io.AtomicFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Writes the curves of a run as one page without scripts that needs no network.
public final class HtmlReport {
    private HtmlReport() {}

    /// Creates or replaces a page, whole or not at all.
    ///
    /// @param facts shown as a table, in their order
    /// @param entries in the order of the steps; may be empty
    /// @throws java.io.UncheckedIOException if it cannot be written
    public static void write(Path file, String title, Map<String, String> facts, List<LogEntry> entries) {
        byte[] html = html(title, facts, entries).getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(file, channel -> AtomicFile.writeFully(channel, ByteBuffer.wrap(html)));
    }

    private static String html(String title, Map<String, String> facts, List<LogEntry> entries) {
        StringBuilder html = new StringBuilder("""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>%s</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222;
              background: #fff }
            h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin: 1.6em 0 .2em }
            svg { width: 100%%; height: auto } table { border-collapse: collapse } td { padding: .1em 1em .1em 0 }
            svg text { font-size: 11px; fill: #666 }
            @media (prefers-color-scheme: dark) { body { color: #ddd; background: #181818 } svg text { fill: #aaa } }
            </style></head><body>
            <h1>%s</h1>
            """.formatted(escaped(title), escaped(title)));
        html.append("<table>\n");
        facts.forEach((name, value) -> html.append("<tr><td>")
                .append(escaped(name))
                .append("</td><td>")
                .append(escaped(value))
                .append("</td></tr>\n"));
        html.append("</table>\n");
        if (!entries.isEmpty()) {
            addCurves(html, entries);
        }
        return html.append("</body></html>\n").toString();
    }

    private static void addCurves(StringBuilder html, List<LogEntry> entries) {
        List<double[]> loss = new ArrayList<>();
        List<double[]> evaluation = new ArrayList<>();
        List<double[]> rate = new ArrayList<>();
        List<double[]> speed = new ArrayList<>();
        for (LogEntry entry : entries) {
            loss.add(new double[] {entry.step(), entry.loss()});
            rate.add(new double[] {entry.step(), entry.learningRate()});
            speed.add(new double[] {entry.step(), entry.tokensPerSecond()});
            Double measured = entry.evaluation();
            if (measured != null) {
                evaluation.add(new double[] {entry.step(), measured});
            }
        }
        html.append(
                Curves.chart("Loss (nats per token)", List.of(loss, evaluation), List.of("training", "evaluation")));
        html.append(Curves.chart("Learning rate", List.of(rate), List.of("")));
        html.append(Curves.chart("Tokens per second", List.of(speed), List.of("")));
        addExperts(html, entries);
    }

    private static void addExperts(StringBuilder html, List<LogEntry> entries) {
        List<List<Double>> first = entries.getFirst().expertShares();
        for (int layer = 0; layer < first.size(); layer++) {
            int experts = first.get(layer).size();
            List<List<double[]>> curves = new ArrayList<>();
            List<String> names = new ArrayList<>();
            for (int expert = 0; expert < experts; expert++) {
                List<double[]> curve = new ArrayList<>();
                for (LogEntry entry : entries) {
                    curve.add(new double[] {
                        entry.step(), 100 * entry.expertShares().get(layer).get(expert)
                    });
                }
                curves.add(curve);
                names.add("expert " + expert);
            }
            if (experts > 1) {
                html.append(Curves.chart(
                        String.format(Locale.ROOT, "Use of the experts of layer %d (%%)", layer), curves, names));
            }
        }
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}

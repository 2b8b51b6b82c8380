package dev.mixtral.train.report;

import java.util.List;
import java.util.Locale;

/// Draws curves over steps as inline SVG.
final class Curves {
    private static final int WIDTH = 800;
    private static final int HEIGHT = 220;
    private static final int LEFT = 60;
    private static final int RIGHT = 110;
    private static final int TOP = 10;
    private static final int BOTTOM = 25;
    private static final int MAX_POINTS = 1000;
    private static final int NUM_TICKS = 4;
    private static final List<String> COLORS =
            List.of("#3b7dd8", "#d8613b", "#3ba55d", "#a35bd1", "#c9a227", "#2aa7a7", "#d14b8f", "#7a7a7a");

    private Curves() {}

    /// Draws a chart with a heading.
    ///
    /// @param curves points `{step, value}` of each curve; an empty one is left out
    /// @param names of the curves; an empty one is not shown
    static String chart(String title, List<List<double[]>> curves, List<String> names) {
        Range steps = new Range();
        Range values = new Range();
        for (List<double[]> curve : curves) {
            for (double[] point : curve) {
                steps.include(point[0]);
                values.include(point[1]);
            }
        }
        values.widen();
        steps.widen();
        StringBuilder svg = new StringBuilder();
        svg.append("<h2>").append(HtmlReport.escaped(title)).append("</h2>\n");
        svg.append(String.format(Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, HEIGHT));
        addTicks(svg, steps, values);
        for (int i = 0; i < curves.size(); i++) {
            if (!curves.get(i).isEmpty()) {
                addCurve(svg, curves.get(i), steps, values, COLORS.get(i % COLORS.size()));
                addName(svg, names.get(i), i);
            }
        }
        return svg.append("</svg>\n").toString();
    }

    private static void addTicks(StringBuilder svg, Range steps, Range values) {
        for (int i = 0; i <= NUM_TICKS; i++) {
            double share = (double) i / NUM_TICKS;
            double y = y(values, values.at(share));
            svg.append(String.format(
                    Locale.ROOT,
                    "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#8884\"/>",
                    LEFT,
                    y,
                    WIDTH - RIGHT,
                    y));
            svg.append(String.format(
                    Locale.ROOT,
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3g</text>\n",
                    LEFT - 6,
                    y + 4,
                    values.at(share)));
            svg.append(String.format(
                    Locale.ROOT,
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f</text>\n",
                    x(steps, steps.at(share)),
                    HEIGHT - 6,
                    steps.at(share)));
        }
    }

    private static void addCurve(StringBuilder svg, List<double[]> curve, Range steps, Range values, String color) {
        int stride = Math.ceilDiv(curve.size(), MAX_POINTS);
        svg.append("<polyline fill=\"none\" stroke-width=\"1.5\" stroke=\"")
                .append(color)
                .append("\" points=\"");
        for (int i = 0; i < curve.size(); i += stride) {
            addPoint(svg, curve.get(i), steps, values);
        }
        addPoint(svg, curve.getLast(), steps, values);
        svg.append("\"/>\n");
    }

    private static void addPoint(StringBuilder svg, double[] point, Range steps, Range values) {
        svg.append(String.format(Locale.ROOT, "%.1f,%.1f ", x(steps, point[0]), y(values, point[1])));
    }

    private static void addName(StringBuilder svg, String name, int index) {
        int y = TOP + 12 + 18 * index;
        svg.append(String.format(
                Locale.ROOT,
                "<text x=\"%d\" y=\"%d\" style=\"fill:%s\">%s</text>\n",
                WIDTH - RIGHT + 10,
                y,
                COLORS.get(index % COLORS.size()),
                HtmlReport.escaped(name)));
    }

    private static double x(Range steps, double step) {
        return LEFT + steps.share(step) * (WIDTH - LEFT - RIGHT);
    }

    private static double y(Range values, double value) {
        return HEIGHT - BOTTOM - values.share(value) * (HEIGHT - TOP - BOTTOM);
    }

    private static final class Range {
        private double min = Double.POSITIVE_INFINITY;
        private double max = Double.NEGATIVE_INFINITY;

        void include(double value) {
            min = Math.min(min, value);
            max = Math.max(max, value);
        }

        /// Gives a range of one value a width.
        void widen() {
            if (max <= min) {
                double by = min == 0 ? 1 : Math.abs(min) * 0.1;
                min -= by;
                max += by;
            }
        }

        double share(double value) {
            return (value - min) / (max - min);
        }

        double at(double share) {
            return min + share * (max - min);
        }
    }
}

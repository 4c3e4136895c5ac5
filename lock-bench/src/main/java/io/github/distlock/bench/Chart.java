package io.github.distlock.bench;

import io.github.distlock.bench.Table.Bar;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.knowm.xchart.HorizontalBarChart;
import org.knowm.xchart.HorizontalBarChartBuilder;
import org.knowm.xchart.style.HorizontalBarStyler;

/**
 * Draws ratios as bars, in SVG. The axis is logarithmic if the ratios differ much. XChart refuses such an axis for
 * bars, so they get logarithms.
 */
final class Chart {
    private static final int WIDTH = 760;
    private static final int ROW = 26;
    private static final double DIFFERS_MUCH = 20;
    private static final Color BAR = new Color(139, 148, 158);
    private static final String BAR_IN_SVG = "rgb(139,148,158)";
    private static final String OWN_BAR_IN_SVG = "rgb(47,129,247)";

    private Chart() {}

    static void write(Path file, String floor, List<Bar> bars) throws IOException {
        HorizontalBarChart chart = new HorizontalBarChartBuilder()
                .width(WIDTH)
                .height(70 + ROW * bars.size())
                .xAxisTitle("rate, as a multiple of: " + floor)
                .build();
        style(chart.getStyler());
        double least = bars.stream().mapToDouble(Bar::ratio).min().orElseThrow();
        double most = bars.stream().mapToDouble(Bar::ratio).max().orElseThrow();
        double origin = Math.floor(Math.log10(least) - 0.1);
        boolean logarithmic = most > least * DIFFERS_MUCH;
        if (logarithmic) {
            chart.getStyler().setXAxisTickLabelsFormattingFunction(tick -> powerOfTen(tick + origin));
        }
        chart.addSeries(
                "rates",
                bars.stream()
                        .map(bar -> logarithmic ? Math.log10(bar.ratio()) - origin : bar.ratio())
                        .toList(),
                bars.stream().map(Chart::label).toList());
        Files.writeString(file, colored(Svg.of(chart), bars));
    }

    private static String label(Bar bar) {
        return bar.name() + "  " + Table.number(bar.ratio());
    }

    private static String powerOfTen(double exponent) {
        boolean whole = Math.abs(exponent - Math.rint(exponent)) < 1e-6;
        return whole
                ? String.format(Locale.ROOT, "%.3f", Math.pow(10, exponent)).replaceAll("\\.?0+$", "")
                : "";
    }

    private static void style(HorizontalBarStyler styler) {
        Svg.style(styler);
        styler.setLegendVisible(false).setSeriesColors(new Color[] {BAR});
        styler.setPlotGridHorizontalLinesVisible(false).setXAxisTickMarkSpacingHint(ROW - 4);
        styler.setLabelsVisible(false).setAvailableSpaceFill(0.7);
    }

    /** Sets the color of this library's bars, which are in the order of the list. */
    private static String colored(String svg, List<Bar> bars) {
        String[] parts = svg.split(Pattern.quote(BAR_IN_SVG), -1);
        StringBuilder colored = new StringBuilder(parts[0]);
        for (int i = 1; i < parts.length; i++) {
            colored.append(bars.get(i - 1).distlock() ? OWN_BAR_IN_SVG : BAR_IN_SVG)
                    .append(parts[i]);
        }
        return colored.toString();
    }
}

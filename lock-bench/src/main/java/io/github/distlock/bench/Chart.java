package io.github.distlock.bench;

import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import io.github.distlock.bench.Table.Bar;
import java.awt.Color;
import java.awt.Font;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
 * bars, so they get logarithms. Text has the color that suits the reader's light or dark page.
 */
final class Chart {
    private static final int WIDTH = 760;
    private static final int ROW = 26;
    private static final double DIFFERS_MUCH = 20;
    private static final Font LABEL = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Color NONE = new Color(0, 0, 0, 0);
    private static final Color TEXT = new Color(1, 2, 3);
    private static final Color BAR = new Color(139, 148, 158);
    private static final Color GRID = new Color(128, 128, 128, 80);
    /** Matches the digits of a coordinate after its first decimal. They make no visible difference. */
    private static final String MORE_DIGITS = "(?<=\\d\\.\\d)\\d+";

    private static final String TEXT_IN_SVG = "rgb(1,2,3)";
    private static final String BAR_IN_SVG = "rgb(139,148,158)";
    private static final String OWN_BAR_IN_SVG = "rgb(47,129,247)";
    /** The first color is readable on both kinds of pages, for viewers that do not know which one it is. */
    private static final String STYLE = "<style>svg{color:#6e7781}"
            + "@media(prefers-color-scheme:light){svg{color:#1f2328}}"
            + "@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>";

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
        VectorGraphics2D drawing = new VectorGraphics2D();
        chart.paint(drawing, WIDTH, chart.getHeight());
        ByteArrayOutputStream svg = new ByteArrayOutputStream();
        new SVGProcessor()
                .getDocument(drawing.getCommands(), new PageSize(0, 0, WIDTH, chart.getHeight()))
                .writeTo(svg);
        Files.writeString(file, colored(svg.toString(StandardCharsets.UTF_8), bars));
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
        styler.setChartBackgroundColor(NONE)
                .setPlotBackgroundColor(NONE)
                .setPlotBorderColor(NONE)
                .setChartFontColor(TEXT)
                .setLegendVisible(false)
                .setSeriesColors(new Color[] {BAR});
        styler.setAxisTickLabelsColor(TEXT)
                .setAxisTickMarksColor(NONE)
                .setPlotGridLinesColor(GRID)
                .setPlotGridHorizontalLinesVisible(false)
                .setXAxisTickMarkSpacingHint(ROW - 4);
        styler.setAxisTickLabelsFont(LABEL).setAxisTitleFont(LABEL).setXAxisTitleColor(TEXT);
        styler.setLabelsVisible(false).setAvailableSpaceFill(0.7);
    }

    /** Sets the colors of text and of this library's bars, which are in the order of the list. */
    private static String colored(String svg, List<Bar> bars) {
        int root = svg.indexOf('>', svg.indexOf("<svg")) + 1;
        String[] parts =
                svg.substring(root).replace(TEXT_IN_SVG, "currentColor").split(Pattern.quote(BAR_IN_SVG), -1);
        StringBuilder colored = new StringBuilder(svg.substring(0, root) + STYLE + parts[0]);
        for (int i = 1; i < parts.length; i++) {
            colored.append(bars.get(i - 1).distlock() ? OWN_BAR_IN_SVG : BAR_IN_SVG)
                    .append(parts[i]);
        }
        return colored.toString().replaceAll(MORE_DIGITS, "");
    }
}

package io.github.distlock.bench;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws figures that grow as lines, with logarithmic axes, in SVG. */
final class Lines {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 340;
    private static final int LEGEND_ROW = 24;
    private static final float THICK = 2;
    /** Readable on light and dark pages. */
    static final List<Color> COLORS = List.of(
            new Color(47, 129, 247),
            new Color(210, 120, 30),
            new Color(60, 160, 80),
            new Color(170, 100, 220),
            new Color(220, 80, 110),
            new Color(139, 148, 158));

    private Lines() {}

    /** Some points of a line. */
    static final class Line {
        final String name;
        final List<Double> xs = new ArrayList<>();
        final List<Double> ys = new ArrayList<>();

        Line(String name) {
            this.name = name;
        }

        void add(double x, double y) {
            xs.add(x);
            ys.add(y);
        }
    }

    static void write(Path file, String xTitle, String yTitle, List<Line> lines) throws IOException {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT + LEGEND_ROW * lines.size())
                .xAxisTitle(xTitle)
                .yAxisTitle(yTitle)
                .build();
        Svg.style(chart.getStyler());
        chart.getStyler().setXAxisLogarithmic(true).setYAxisLogarithmic(true);
        chart.getStyler()
                .setLegendPosition(Styler.LegendPosition.OutsideS)
                .setLegendLayout(Styler.LegendLayout.Vertical);
        chart.getStyler()
                .setXAxisTickLabelsFormattingFunction(Lines::tick)
                .setYAxisTickLabelsFormattingFunction(Lines::tick);
        for (int i = 0; i < lines.size(); i++) {
            Line line = lines.get(i);
            XYSeries series = chart.addSeries(line.name, line.xs, line.ys);
            series.setLineColor(COLORS.get(i)).setLineStyle(new BasicStroke(THICK));
            series.setMarker(SeriesMarkers.CIRCLE).setMarkerColor(COLORS.get(i));
        }
        Files.writeString(file, Svg.of(chart));
    }

    private static String tick(double value) {
        return value < 1 ? Table.number(value) : String.format(Locale.ROOT, "%,.0f", value);
    }
}

package io.github.distlock.bench;

import java.awt.BasicStroke;
import java.awt.Font;
import java.io.IOException;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws the panels of a dashboard over seconds, in one SVG. */
final class Panels {
    /** The sizes of one unit of the dashboard. A panel has eight by eight units. */
    private static final int COLUMN = 56;

    private static final int ROW = 30;
    private static final int UNITS = 8;
    private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 13);
    private static final float THICK = 1.5f;

    private Panels() {}

    /** A panel, and its place in units. */
    record Panel(String title, int x, int y, List<Lines.Line> lines) {}

    static String draw(List<Panel> panels, double seconds) throws IOException {
        int columns = panels.stream().mapToInt(Panel::x).max().orElseThrow() + UNITS;
        int rows = panels.stream().mapToInt(Panel::y).max().orElseThrow() + UNITS;
        return Svg.of(columns * COLUMN, rows * ROW, drawing -> {
            for (Panel panel : panels) {
                drawing.translate(panel.x * COLUMN, panel.y * ROW);
                chart(panel, seconds).paint(drawing, UNITS * COLUMN, UNITS * ROW);
                drawing.translate(-panel.x * COLUMN, -panel.y * ROW);
            }
        });
    }

    private static XYChart chart(Panel panel, double seconds) {
        XYChart chart = new XYChartBuilder()
                .width(UNITS * COLUMN)
                .height(UNITS * ROW)
                .title(panel.title)
                .build();
        Svg.style(chart.getStyler());
        chart.getStyler().setChartTitleFont(TITLE).setChartTitleBoxVisible(false);
        chart.getStyler()
                .setLegendPosition(Styler.LegendPosition.OutsideS)
                .setLegendLayout(Styler.LegendLayout.Horizontal);
        // Each dash would be a shape of its own in the file.
        chart.getStyler().setPlotGridLinesStroke(new BasicStroke());
        chart.getStyler().setXAxisMin(0.0).setXAxisMax(seconds).setYAxisMin(0.0);
        chart.getStyler().setXAxisTickMarkSpacingHint(UNITS * COLUMN / 4).setYAxisTickMarkSpacingHint(UNITS * ROW / 4);
        for (int i = 0; i < panel.lines.size(); i++) {
            Lines.Line line = panel.lines.get(i);
            XYSeries series = chart.addSeries(line.name, line.xs, line.ys);
            series.setLineColor(Lines.COLORS.get(i % Lines.COLORS.size())).setLineStyle(new BasicStroke(THICK));
            series.setMarker(SeriesMarkers.NONE);
        }
        return chart;
    }
}

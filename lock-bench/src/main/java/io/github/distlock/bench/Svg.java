package io.github.distlock.bench;

import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;

/** Makes SVG of charts. Text has the color that suits the reader's light or dark page. */
final class Svg {
    private static final Font LABEL = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Color NONE = new Color(0, 0, 0, 0);
    private static final Color TEXT = new Color(1, 2, 3);
    private static final Color GRID = new Color(128, 128, 128, 80);
    /** Matches the digits of a coordinate after its first decimal. They make no visible difference. */
    private static final String MORE_DIGITS = "(?<=\\d\\.\\d)\\d+";

    private static final String TEXT_IN_SVG = "rgb(1,2,3)";
    /** The first color is readable on both kinds of pages, for viewers that do not know which one it is. */
    private static final String STYLE = "<style>svg{color:#6e7781}"
            + "@media(prefers-color-scheme:light){svg{color:#1f2328}}"
            + "@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>";

    private Svg() {}

    /** Sets colors that {@link #of} replaces, or that are readable on both kinds of pages. */
    static void style(AxesChartStyler styler) {
        styler.setChartBackgroundColor(NONE)
                .setPlotBackgroundColor(NONE)
                .setPlotBorderColor(NONE)
                .setChartFontColor(TEXT)
                .setLegendBackgroundColor(NONE)
                .setLegendBorderColor(NONE)
                .setLegendFont(LABEL);
        styler.setAxisTickLabelsColor(TEXT).setAxisTickMarksColor(NONE).setPlotGridLinesColor(GRID);
        styler.setAxisTickLabelsFont(LABEL)
                .setAxisTitleFont(LABEL)
                .setXAxisTitleColor(TEXT)
                .setYAxisTitleColor(TEXT);
    }

    static String of(Chart<?, ?> chart) throws IOException {
        return of(
                chart.getWidth(),
                chart.getHeight(),
                drawing -> chart.paint(drawing, chart.getWidth(), chart.getHeight()));
    }

    static String of(int width, int height, Consumer<Graphics2D> painting) throws IOException {
        VectorGraphics2D drawing = new VectorGraphics2D();
        painting.accept(drawing);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new SVGProcessor()
                .getDocument(drawing.getCommands(), new PageSize(0, 0, width, height))
                .writeTo(bytes);
        String svg = bytes.toString(StandardCharsets.UTF_8);
        int root = svg.indexOf('>', svg.indexOf("<svg")) + 1;
        String drawn = svg.substring(root).replace(TEXT_IN_SVG, "currentColor");
        return (svg.substring(0, root) + STYLE + drawn).replaceAll(MORE_DIGITS, "");
    }
}

package io.github.distlock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the comparison says about other libraries has sources. */
class ComparisonTest {
    private static final Path PAGE = Path.of("..", "docs", "comparison.md");
    private static final Pattern ROW = Pattern.compile("\\| (?<library>\\w[^|]*) \\|(?<cells>.*)\\|");
    private static final Pattern SOURCE = Pattern.compile("\\[[A-Z]\\d+]");

    @Test
    void api_eachCellAboutAnotherLibraryHasASource() throws IOException {
        List<String> cells = cellsAboutOthers();
        assertEquals(
                List.of(),
                cells.stream()
                        .filter(cell ->
                                !cell.startsWith("–") && !SOURCE.matcher(cell).find())
                        .toList());
        assertFalse(cells.isEmpty());
    }

    private static List<String> cellsAboutOthers() throws IOException {
        List<String> cells = new ArrayList<>();
        for (String line : Files.readAllLines(PAGE)) {
            var row = ROW.matcher(line);
            if (row.matches() && !row.group("library").equals("distlock")) {
                for (String cell : row.group("cells").split("\\|", -1)) {
                    cells.add(cell.strip());
                }
            }
        }
        return cells;
    }

    @Test
    void api_sourcesAreThoseOfTheText() throws IOException {
        String page = Files.readString(PAGE);
        String text = page.substring(0, page.indexOf("## Sources"));
        TreeSet<String> used = SOURCE.matcher(text)
                .results()
                .map(found -> found.group())
                .collect(Collectors.toCollection(TreeSet::new));
        TreeSet<String> defined = page.lines()
                .filter(line -> line.matches("\\[[A-Z]\\d+]: https://\\S+"))
                .map(line -> line.substring(0, line.indexOf(':')))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(used, defined);
    }
}

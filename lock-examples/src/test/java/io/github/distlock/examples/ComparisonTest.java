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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the comparison says about other libraries has sources. A table has a row or a column for distlock. */
class ComparisonTest {
    private static final Path PAGE = Path.of("..", "docs", "comparison.md");
    private static final Pattern ROW = Pattern.compile("\\| (?<first>\\w[^|]*) \\|(?<cells>.*)\\|");
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
        boolean ownColumn = false;
        for (String line : Files.readAllLines(PAGE)) {
            if (line.startsWith("| |")) {
                ownColumn = line.startsWith("| | distlock |");
            }
            var row = ROW.matcher(line);
            if (row.matches() && !row.group("first").equals("distlock")) {
                Stream.of(row.group("cells").split("\\|", -1))
                        .skip(ownColumn ? 1 : 0)
                        .map(String::strip)
                        .forEach(cells::add);
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

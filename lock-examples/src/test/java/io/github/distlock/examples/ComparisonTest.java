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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the comparison says about other libraries has sources, and so have the pages about one library each. A table has
 * a row or a column for distlock.
 */
class ComparisonTest {
    private static final Path PAGE = Path.of("..", "docs", "comparison.md");
    private static final Path OTHER_PAGES = Path.of("..", "docs", "comparison");
    private static final Pattern ROW = Pattern.compile("\\| (?<first>\\w[^|]*) \\|(?<cells>.*)\\|");
    private static final Pattern SOURCE = Pattern.compile("\\[[A-Z]\\d+]");

    static List<Path> pages() {
        return Stream.concat(Stream.of(PAGE), Pages.files(OTHER_PAGES).stream()).toList();
    }

    @ParameterizedTest
    @MethodSource("pages")
    void api_eachCellAboutAnotherLibraryHasASource(Path page) throws IOException {
        List<String> cells = cellsAboutOthers(page);
        assertEquals(
                List.of(),
                cells.stream()
                        .filter(cell ->
                                !cell.startsWith("–") && !SOURCE.matcher(cell).find())
                        .toList());
        assertFalse(cells.isEmpty());
    }

    private static List<String> cellsAboutOthers(Path page) throws IOException {
        List<String> cells = new ArrayList<>();
        boolean ownColumn = false;
        for (String line : Files.readAllLines(page)) {
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

    @ParameterizedTest
    @MethodSource("pages")
    void api_sourcesAreThoseOfTheText(Path page) throws IOException {
        String text =
                Files.readString(page).lines().filter(line -> !isSource(line)).collect(Collectors.joining("\n"));
        TreeSet<String> used = SOURCE.matcher(text)
                .results()
                .map(found -> found.group())
                .collect(Collectors.toCollection(TreeSet::new));
        TreeSet<String> defined = sources(page).stream()
                .map(line -> line.substring(0, line.indexOf(':')))
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(used, defined);
    }

    @ParameterizedTest
    @MethodSource("pages")
    void api_allPagesHaveTheSameSources(Path page) throws IOException {
        List<String> sources = sources(PAGE);
        assertEquals(
                List.of(),
                sources(page).stream().filter(line -> !sources.contains(line)).toList());
    }

    private static List<String> sources(Path page) throws IOException {
        return Files.readString(page).lines().filter(ComparisonTest::isSource).toList();
    }

    private static boolean isSource(String line) {
        return line.matches("\\[[A-Z]\\d+]: https://\\S+");
    }
}

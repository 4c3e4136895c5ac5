package io.github.distlock.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** How a verb prints its result. */
final class Output {
    /** The forms. */
    enum Form {
        TEXT,
        JSON;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORM",
            defaultValue = "text",
            description = "text or json; ${DEFAULT-VALUE} by default.")
    Form form = Form.TEXT;

    /** Prints a result. Programs read the JSON, and people the lines. */
    void print(Object json, List<String> lines) {
        if (form == Form.JSON) {
            System.out.println(Json.of(json));
        } else {
            lines.stream().map(Output::printable).forEach(System.out::println);
        }
    }

    /** Replaces control characters, which clients may have in their names: a terminal would obey them. */
    static String printable(String line) {
        return line.replaceAll("[\\p{Cntrl}\\x{80}-\\x{9f}]", "?");
    }

    /** Returns rows with columns of equal width on a terminal. */
    static List<String> table(List<List<String>> rows) {
        List<Integer> widths = new ArrayList<>();
        for (List<String> row : rows) {
            for (int i = 0; i < row.size(); i++) {
                if (i == widths.size()) {
                    widths.add(0);
                }
                widths.set(i, Math.max(widths.get(i), Width.of(row.get(i))));
            }
        }
        return rows.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(List<String> row, List<Integer> widths) {
        List<String> cells = new ArrayList<>();
        for (int i = 0; i < row.size(); i++) {
            cells.add(row.get(i) + " ".repeat(widths.get(i) - Width.of(row.get(i))));
        }
        return cells.stream().collect(Collectors.joining("  ")).stripTrailing();
    }
}

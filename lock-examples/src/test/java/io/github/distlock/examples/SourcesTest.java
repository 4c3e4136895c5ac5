package io.github.distlock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules for the sources of all modules. The formatter does not break comments and strings. */
class SourcesTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final int COLUMNS = 120;

    @Test
    void linesOfJavaAndLuaHaveAtMost120Columns() throws IOException {
        List<String> tooLong = new ArrayList<>();
        List<Path> sources = sources();

        for (Path source : sources) {
            List<String> lines = Files.readAllLines(source);
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).codePointCount(0, lines.get(i).length()) > COLUMNS) {
                    tooLong.add(ROOT.relativize(source) + ":" + (i + 1));
                }
            }
        }

        assertEquals(List.of(), tooLong);
        assertFalse(sources.isEmpty());
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> files = Files.walk(ROOT)) {
            return files.filter(file ->
                            file.toString().endsWith(".java") || file.toString().endsWith(".lua"))
                    .filter(file -> !file.toString().contains("/target/"))
                    .toList();
        }
    }
}

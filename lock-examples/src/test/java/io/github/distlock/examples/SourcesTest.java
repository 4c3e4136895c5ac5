package io.github.distlock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules for the sources of all modules. The formatter does not break comments and strings. */
class SourcesTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final int COLUMNS = 120;
    private static final Pattern MAKES_A_THREAD = Pattern.compile("new Thread\\(");
    /** A logger that is not called by a lambda: requests also come from threads that keep promises. */
    private static final Pattern LOGS_AT_ONCE =
            Pattern.compile("(?<!-> )(?<!-> ClientLog\\.)\\bLOG\\.(trace|debug|info|warn|error|at)");

    @Test
    void linesOfJavaAndLuaHaveAtMost120Columns() throws IOException {
        List<Path> sources = sources();

        List<String> tooLong = find(sources, line -> line.codePointCount(0, line.length()) > COLUMNS);

        assertEquals(List.of(), tooLong);
        assertFalse(sources.isEmpty());
    }

    @Test
    void theLibraryLogsOnTheThreadOfTheLogAlone() throws IOException {
        assertEquals(
                List.of(), find(library(), line -> LOGS_AT_ONCE.matcher(line).find()));
    }

    @Test
    void theLibraryMakesThreadsInOnePlace() throws IOException {
        List<String> found =
                find(library(), line -> MAKES_A_THREAD.matcher(line).find());

        assertEquals(1, found.size(), found::toString);
        assertTrue(found.get(0).contains("/engine/Work.java:"), found::toString);
    }

    private static List<Path> library() throws IOException {
        return sources().stream()
                .filter(file -> file.toString().matches(".*/lock-(api|fencing|redis|zookeeper)/src/main/.*"))
                .toList();
    }

    private static List<String> find(List<Path> sources, Predicate<String> rule) throws IOException {
        List<String> found = new ArrayList<>();
        for (Path source : sources) {
            List<String> lines = Files.readAllLines(source);
            for (int i = 0; i < lines.size(); i++) {
                if (rule.test(lines.get(i))) {
                    found.add(ROOT.relativize(source) + ":" + (i + 1));
                }
            }
        }
        return found;
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

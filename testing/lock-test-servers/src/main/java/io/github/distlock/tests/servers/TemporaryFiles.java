package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Directories of this JVM; {@link ChildProcesses} sees to it that they do not outlive it. */
final class TemporaryFiles {
    private static final int TAIL = 8_000;

    /** Made when first used. */
    private static final class Root {
        static final Path PATH = newRoot();

        private static Path newRoot() {
            try {
                return Files.createTempDirectory("distlock-tests-");
            } catch (IOException e) {
                throw new UncheckedIOException("cannot make a temporary directory", e);
            }
        }
    }

    private TemporaryFiles() {}

    static Path root() {
        return Root.PATH;
    }

    static Path newDirectory(String name) {
        try {
            return Files.createTempDirectory(root(), name + "-");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a temporary directory", e);
        }
    }

    /** Deletes what is there, as far as that is possible. */
    static void delete(Path root) {
        if (!Files.exists(root)) {
            return;
        }
        try (Stream<Path> files = Files.walk(root)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            // A process that is just ending still writes there; the end of this JVM removes it.
        }
    }

    /** The last of a text file; empty when there is none. */
    static String tail(Path file) {
        try {
            String text = Files.exists(file) ? Files.readString(file) : "";
            return text.substring(Math.max(0, text.length() - TAIL));
        } catch (IOException e) {
            return "(" + file.getFileName() + " cannot be read: " + e + ")";
        }
    }
}

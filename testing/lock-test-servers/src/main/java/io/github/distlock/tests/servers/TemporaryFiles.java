package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Temporary directories of this JVM; {@link ChildProcesses} deletes them when the JVM ends. */
final class TemporaryFiles {
    private static final int TAIL = 8_000;

    /** A separate class, so that the directory is created when it is first used. */
    private static final class Root {
        static final Path PATH = newRoot();

        private static Path newRoot() {
            try {
                return Files.createTempDirectory("distlock-tests-");
            } catch (IOException e) {
                throw new UncheckedIOException("cannot create a temporary directory", e);
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
            throw new UncheckedIOException("cannot create a temporary directory", e);
        }
    }

    /** Deletes the file or directory as far as possible. Does nothing if it does not exist. */
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
            // A process that is ending still writes to the directory. It is deleted when this JVM ends.
        }
    }

    /** Returns the last part of a text file, or nothing if the file does not exist. */
    static String tail(Path file) {
        try {
            String text = Files.exists(file) ? Files.readString(file) : "";
            return text.substring(Math.max(0, text.length() - TAIL));
        } catch (IOException e) {
            return "(" + file.getFileName() + " cannot be read: " + e + ")";
        }
    }
}

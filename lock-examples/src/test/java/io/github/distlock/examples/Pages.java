package io.github.distlock.examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The pages of this repository: those of {@code docs}, and those beside the README. */
final class Pages {
    static final Path ROOT = Path.of("").toAbsolutePath().getParent();

    private static final Pattern BLOCK =
            Pattern.compile("^( *)```(\\w*)\\n(.*?)^ *```$", Pattern.DOTALL | Pattern.MULTILINE);
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    /** The first line of a translation: the page that it translates, and what {@code git hash-object} said of it. */
    private static final Pattern ORIGINAL = Pattern.compile("<!-- (\\S+) ([0-9a-f]{40}) -->\\n");

    private Pages() {}

    record Snippet(Path page, String language, String text) {
        @Override
        public String toString() {
            return ROOT.relativize(page) + ":\n" + text;
        }
    }

    /** A page in another language, and the revision of the English page that it follows. */
    record Translation(Path page, Path original, String revision) {}

    static List<Path> all() {
        try (Stream<Path> besideTheReadme = Files.list(ROOT)) {
            return Stream.concat(
                            besideTheReadme,
                            Stream.of("docs", ".github").flatMap(directory -> files(ROOT.resolve(directory)).stream()))
                    .filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Translation> translations() {
        return all().stream()
                .flatMap(page -> ORIGINAL.matcher(read(page))
                        .results()
                        .filter(found -> found.start() == 0)
                        .map(found -> new Translation(page, ROOT.resolve(found.group(1)), found.group(2))))
                .toList();
    }

    static List<Path> files(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Snippet> snippets(Path page) {
        return BLOCK.matcher(read(page))
                .results()
                .map(found -> new Snippet(page, found.group(2), found.group(3)))
                .toList();
    }

    /** The targets within this repository to which a page links. */
    static List<String> links(Path page) {
        return LINK.matcher(withoutBlocks(page))
                .results()
                .map(found -> found.group(1))
                .filter(link -> !link.startsWith("http"))
                .toList();
    }

    static String withoutBlocks(Path page) {
        return BLOCK.matcher(read(page)).replaceAll("");
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

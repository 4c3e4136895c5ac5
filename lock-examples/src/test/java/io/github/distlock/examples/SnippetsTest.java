package io.github.distlock.examples;

import static io.github.distlock.examples.Pages.ROOT;
import static io.github.distlock.examples.Pages.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.examples.Pages.Snippet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each Java snippet of the README and the docs is an excerpt of a program or test. */
class SnippetsTest {
    private static final Pattern HEADING = Pattern.compile("^#+ +(.*)$", Pattern.MULTILINE);
    private static final Pattern ARTIFACT = Pattern.compile("<(?:dependency|plugin)>\\s*<groupId>[^<]*</groupId>"
            + "\\s*<artifactId>(?<id>[^<]*)</artifactId>\\s*<version>(?<version>[^<]*)<");

    @Test
    void api_eachJavaSnippetIsPartOfAProgram() {
        List<String> programs = Stream.of(
                        "lock-examples/src",
                        "lock-example-backend/src",
                        "integrations/lock-redis-lettuce/src",
                        "integrations/lock-micrometer/src",
                        "integrations/lock-spring/src",
                        "integrations/lock-spring-boot-tests/src",
                        "lock-example-spring-boot/src")
                .flatMap(sources -> Pages.files(ROOT.resolve(sources)).stream())
                .filter(file -> file.toString().endsWith(".java"))
                .map(file -> withoutIndentation(read(file)))
                .toList();
        List<Snippet> snippets = snippets("java");
        List<Snippet> unknown = snippets.stream()
                .filter(snippet ->
                        programs.stream().noneMatch(program -> program.contains(withoutIndentation(snippet.text()))))
                .toList();
        assertEquals(List.of(), unknown, "snippets that are not part of a program");
        assertFalse(snippets.isEmpty());
    }

    @Test
    void api_theChecksRunEachCommand() {
        String checks = read(ROOT.resolve(".ci/run")) + read(ROOT.resolve(".ci/readme"));
        List<Snippet> commands = snippets("sh");
        for (Snippet command : commands) {
            for (String line : command.text().strip().lines().toList()) {
                assertTrue(checks.contains(line.strip()), "never run: " + line);
            }
        }
        assertFalse(commands.isEmpty());
    }

    @Test
    void api_eachPythonSnippetIsPartOfATestedProgram() {
        String program = read(ROOT.resolve("lock-zookeeper/src/test/resources/kazoo_lock.py"));
        List<Snippet> snippets = snippets("python");
        for (Snippet snippet : snippets) {
            assertTrue(program.contains(snippet.text()), "not part of a program: " + snippet);
        }
        assertFalse(snippets.isEmpty());
    }

    @Test
    void api_artifactsAreThoseOfTheBuild() {
        String build = read(ROOT.resolve("lock-bom/pom.xml"))
                + read(ROOT.resolve("pom.xml"))
                + read(ROOT.resolve("lock-tests/pom.xml"));
        for (Snippet snippet : snippets("xml")) {
            Matcher artifact = ARTIFACT.matcher(snippet.text());
            while (artifact.find()) {
                assertTrue(build.contains("<artifactId>" + artifact.group("id") + "</artifactId>"), artifact.group());
                assertTrue(build.contains(">" + artifact.group("version") + "</"), artifact.group());
            }
        }
    }

    @Test
    void api_eachBlockNamesAKnownLanguage() {
        List<String> known = List.of("java", "sh", "xml", "text", "lua", "python");
        for (Path page : Pages.all()) {
            for (Snippet snippet : Pages.snippets(page)) {
                assertTrue(known.contains(snippet.language()), "not checked: " + snippet);
            }
        }
    }

    @Test
    void api_eachLinkHasATarget() {
        List<String> dead = new ArrayList<>();
        for (Path page : Pages.all()) {
            for (String link : Pages.links(page)) {
                String[] parts = link.split("#", 2);
                Path target = parts[0].isEmpty()
                        ? page
                        : page.resolveSibling(parts[0]).normalize();
                boolean exists = Files.exists(target)
                        && (parts.length == 1 || anchors(target).contains(parts[1]));
                if (!exists) {
                    dead.add(ROOT.relativize(page) + " -> " + link);
                }
            }
        }
        assertEquals(List.of(), dead);
    }

    @ParameterizedTest
    @ValueSource(strings = {"README.md", "README.zh-CN.md"})
    void api_theReadmeIsShortAndBeginsWithCode(String page) {
        List<String> lines = read(ROOT.resolve(page)).lines().toList();
        assertTrue(lines.size() <= 200, "README has " + lines.size() + " lines");
        assertTrue(lines.indexOf("```java") < 10, "code by line 10");
    }

    private static List<String> anchors(Path page) {
        return HEADING.matcher(Pages.withoutBlocks(page))
                .results()
                .map(found -> found.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-'))
                .toList();
    }

    private static List<Snippet> snippets(String language) {
        return Pages.all().stream()
                .flatMap(page -> Pages.snippets(page).stream())
                .filter(snippet -> snippet.language().equals(language))
                .toList();
    }

    /** Removes the indentation, which differs between a snippet and its program. */
    private static String withoutIndentation(String text) {
        return text.lines().map(String::strip).filter(line -> !line.isEmpty()).reduce("", (a, b) -> a + b + "\n");
    }
}

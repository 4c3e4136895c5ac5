package io.github.distlock.examples;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The guides for users of other libraries have a line for each public method of those libraries' lock types.
 *
 * <p>The resources list the methods, as {@code javap -public} shows them. A section of a guide names in its heading the
 * types whose calls it describes. A call stands for a method with its name and its number of parameters. If several
 * methods have these, the section has as many different calls. A call with {@code …} stands for all with its name.
 */
class MovingGuidesTest {
    private static final Path DOCS = Path.of("..", "docs", "moving");
    private static final Path METHODS = Path.of("src", "test", "resources", "moving");
    private static final Pattern METHOD = Pattern.compile("(?<type>\\w+) (?<call>.*)");
    private static final Pattern ROW = Pattern.compile("\\| (?<calls>.+?) \\| .+? \\| .+? \\|");
    private static final Pattern CALL = Pattern.compile("(?<name>(?:new )?\\w+)\\((?<parameters>[^()`]*)\\)");

    private record Call(String name, String parameters) {
        static Stream<Call> in(String text) {
            return CALL.matcher(text).results().map(found -> new Call(found.group(1), found.group(2)));
        }

        boolean isEveryForm() {
            return parameters.equals("…");
        }

        boolean hasFormOf(Call other) {
            return name.equals(other.name) && count() == other.count();
        }

        private int count() {
            return parameters.isEmpty() ? 0 : parameters.split(",", -1).length;
        }
    }

    private record Section(String heading, List<Call> calls) {
        boolean isAbout(String type) {
            return List.of(heading.split("[, ]+", -1)).contains(type);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "from-redisson.md, redisson-4.7.0.txt",
        "from-curator.md, curator-5.9.0.txt",
        "from-lock4j.md, lock4j-2.2.7.txt",
        "from-klock.md, klock-1.5-release.txt",
        "../zh-CN/moving/from-lock4j.md, lock4j-2.2.7.txt",
        "../zh-CN/moving/from-klock.md, klock-1.5-release.txt"
    })
    void api_eachMethodHasALine(String guide, String list) throws IOException {
        List<Section> sections = sections(guide);

        List<String> missing = new ArrayList<>();
        methods(list).forEach((type, methods) -> {
            List<Call> described = sections.stream()
                    .filter(section -> section.isAbout(type))
                    .flatMap(section -> section.calls.stream())
                    .toList();
            methods.stream()
                    .filter(method -> !isDescribed(method, methods, described))
                    .forEach(method -> missing.add(type + ": " + method));
        });

        assertEquals(List.of(), missing);
    }

    private static boolean isDescribed(Call method, List<Call> methods, List<Call> described) {
        return described.stream().anyMatch(call -> call.isEveryForm() && call.name.equals(method.name))
                || described.stream().filter(method::hasFormOf).count()
                        >= methods.stream().filter(method::hasFormOf).count();
    }

    @ParameterizedTest
    @CsvSource({
        "from-redisson.md, redisson-4.7.0.txt",
        "from-curator.md, curator-5.9.0.txt",
        "from-lock4j.md, lock4j-2.2.7.txt",
        "from-klock.md, klock-1.5-release.txt",
        "../zh-CN/moving/from-lock4j.md, lock4j-2.2.7.txt",
        "../zh-CN/moving/from-klock.md, klock-1.5-release.txt"
    })
    void api_eachLineIsAboutAMethod(String guide, String list) throws IOException {
        Map<String, List<Call>> types = methods(list);

        List<String> unknown = new ArrayList<>();
        for (Section section : sections(guide)) {
            List<Call> methods = types.keySet().stream()
                    .filter(section::isAbout)
                    .flatMap(type -> types.get(type).stream())
                    .toList();
            section.calls.stream()
                    .filter(call -> !methods.isEmpty() && methods.stream().noneMatch(method -> isFor(call, method)))
                    .forEach(call -> unknown.add(section.heading + ": " + call));
        }

        assertEquals(List.of(), unknown);
    }

    private static boolean isFor(Call call, Call method) {
        return call.isEveryForm() ? call.name.equals(method.name) : call.hasFormOf(method);
    }

    @ParameterizedTest
    @CsvSource({
        "from-redisson.md, Redisson 4.7.0",
        "from-curator.md, Curator 5.9.0",
        "from-lock4j.md, Lock4j 2.2.7",
        "from-klock.md, klock 1.5-RELEASE",
        "../zh-CN/moving/from-lock4j.md, Lock4j 2.2.7",
        "../zh-CN/moving/from-klock.md, klock 1.5-RELEASE"
    })
    void api_aGuideNamesTheVersionOfItsMethods(String guide, String version) throws IOException {
        String list = version.toLowerCase(Locale.ROOT).replace(' ', '-') + ".txt";
        assertTrue(Files.exists(METHODS.resolve(list)), list);
        assertTrue(text(guide).replaceAll("\\s+", " ").contains(version), version);
    }

    private static Map<String, List<Call>> methods(String list) throws IOException {
        Map<String, List<Call>> methods = Files.readAllLines(METHODS.resolve(list)).stream()
                .map(METHOD::matcher)
                .filter(Matcher::matches)
                .collect(groupingBy(
                        method -> method.group("type"),
                        LinkedHashMap::new,
                        mapping(
                                method -> Call.in(method.group("call"))
                                        .findFirst()
                                        .orElseThrow(),
                                toList())));
        assertFalse(methods.isEmpty());
        return methods;
    }

    private static List<Section> sections(String guide) throws IOException {
        return Stream.of(text(guide).split("(?m)^### ", -1))
                .skip(1)
                .map(section -> new Section(section.lines().findFirst().orElseThrow(), calls(section)))
                .toList();
    }

    private static List<Call> calls(String section) {
        return section.lines()
                .map(ROW::matcher)
                .filter(Matcher::matches)
                .flatMap(row -> Call.in(row.group("calls")))
                .distinct()
                .toList();
    }

    private static String text(String guide) throws IOException {
        return Files.readString(DOCS.resolve(guide));
    }
}

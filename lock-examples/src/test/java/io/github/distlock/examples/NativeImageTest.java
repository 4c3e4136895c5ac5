package io.github.distlock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The metadata for native images covers the resources and classes that code finds by name. The modules for Spring Boot
 * have a test that records what code asks for at run time.
 */
class NativeImageTest {
    private static final Pattern CLASS_BY_NAME = Pattern.compile("\\bClass\\.forName\\(\\s*\"([\\w.$]+)\"");
    private static final Pattern NAME = Pattern.compile("\"(name|typeReachable)\": \"([^\"]+)\"");
    private static final Pattern RESOURCES = Pattern.compile("\"pattern\": \"([^\"]+)\"");
    private static final Pattern OF_THE_PARSER =
            Pattern.compile("@Command\\(|@Option\\(|implements (ITypeConverter|IVersionProvider)\\b");

    /** Jedis 7 has it, and Jedis 8 has not. */
    private static final String OLD = "redis.clients.jedis.JedisPooled";

    @Test
    void eachResourceIsInTheImage() {
        List<String> missing = new ArrayList<>();
        for (BuildModule module : modulesOfApplications()) {
            Path resources = module.directory().resolve("src/main/resources");
            List<Pattern> included = RESOURCES
                    .matcher(metadata(module, "resource-config.json"))
                    .results()
                    .map(found -> Pattern.compile(found.group(1).replace("\\\\", "\\")))
                    .toList();
            files(resources)
                    .map(file -> resources.relativize(file).toString())
                    .filter(name -> !name.startsWith("META-INF/"))
                    .filter(name -> included.stream()
                            .noneMatch(pattern -> pattern.matcher(name).matches()))
                    .forEach(missing::add);
        }

        assertEquals(List.of(), missing);
    }

    @Test
    void eachClassThatCodeFindsByItsNameIsRegistered() {
        List<String> found = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (BuildModule module : modulesOfApplications()) {
            String registered = metadata(module, "reflect-config.json");
            files(module.directory().resolve("src/main/java"))
                    .flatMap(file -> CLASS_BY_NAME.matcher(Pages.read(file)).results())
                    .map(named -> named.group(1))
                    .peek(found::add)
                    .filter(name -> !registered.contains("\"name\": \"" + name + "\""))
                    .forEach(missing::add);
        }

        assertEquals(List.of(), missing);
        assertFalse(found.isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"lock-redis", "lock-zookeeper"})
    void eachRegisteredNameExists(String module) throws ClassNotFoundException {
        List<MatchResult> names = NAME.matcher(metadata(BuildModule.named(module), "reflect-config.json"))
                .results()
                .toList();

        Class<?> type = Object.class;
        for (MatchResult each : names) {
            String name = each.group(2);
            if (name.contains(".")) {
                type = name.equals(OLD)
                        ? Object.class
                        : Class.forName(name, false, getClass().getClassLoader());
            } else if (type != Object.class && !name.equals("<init>")) {
                assertTrue(members(type).contains(name), type + " has no " + name);
            }
        }

        assertFalse(names.isEmpty());
    }

    private static Set<String> members(Class<?> type) {
        return Stream.concat(
                        Arrays.stream(type.getMethods()).map(Method::getName),
                        Arrays.stream(type.getDeclaredFields()).map(Field::getName))
                .collect(Collectors.toSet());
    }

    /** The parser makes objects of these classes, and sets their fields. */
    @Test
    void eachClassThatTheParserOfTheCommandLineUsesIsRegistered() {
        BuildModule module = BuildModule.named("lock-cli");
        Path sources = module.directory().resolve("src/main/java");
        Set<String> used = files(sources)
                .filter(file -> OF_THE_PARSER.matcher(Pages.read(file)).find())
                .map(file -> sources.relativize(file)
                        .toString()
                        .replaceAll("\\.java$", "")
                        .replace('/', '.'))
                .collect(Collectors.toCollection(TreeSet::new));

        Set<String> registered = NAME.matcher(metadata(module, "reflect-config.json"))
                .results()
                .map(found -> found.group(2))
                .filter(name -> name.startsWith("io.github.distlock."))
                .map(name -> name.replaceAll("\\$.*", ""))
                .collect(Collectors.toCollection(TreeSet::new));

        assertEquals(used, registered);
    }

    /** Modules for tests start JVMs, which no native image is. */
    private static List<BuildModule> modulesOfApplications() {
        return BuildModule.published().stream()
                .filter(module -> !module.artifact().matches("lock-histories|lock-simulator|.*-tests?(-.*)?"))
                .toList();
    }

    private static String metadata(BuildModule module, String file) {
        Path metadata = module.directory()
                .resolve("src/main/resources/META-INF/native-image/io.github.distlock/" + module.artifact())
                .resolve(file);
        return Files.exists(metadata) ? Pages.read(metadata) : "";
    }

    private static Stream<Path> files(Path directory) {
        return Files.isDirectory(directory) ? Pages.files(directory).stream() : Stream.empty();
    }
}

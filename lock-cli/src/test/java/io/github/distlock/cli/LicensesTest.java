package io.github.distlock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The licenses in the executable jar, which has the classes of other projects. */
@Tag("binary")
class LicensesTest {
    private static final Pattern LINE =
            Pattern.compile("(?m)^([a-z.0-9]+) {2,}\\S.*? {2,}(Apache-2.0|MIT|Public Domain)$");
    private static final Pattern VERSION = Pattern.compile("^META-INF/versions/[0-9]+/");

    @Test
    void theJarSaysTheLicenseOfEachClass() throws IOException {
        try (JarFile jar = new JarFile(System.getProperty("lock.cli.jar"))) {
            List<String> packages = LINE.matcher(text(jar, "META-INF/THIRD-PARTY.txt"))
                    .results()
                    .map(line -> line.group(1).replace('.', '/') + "/")
                    .toList();

            List<String> others = jar.stream()
                    .map(entry -> VERSION.matcher(entry.getName()).replaceFirst(""))
                    .filter(name -> name.endsWith(".class"))
                    .filter(name -> packages.stream().noneMatch(name::startsWith))
                    .map(name -> name.substring(0, name.lastIndexOf('/') + 1))
                    .distinct()
                    .toList();

            assertEquals(List.of(), others, "src/licenses/THIRD-PARTY.txt must say the licenses of these packages");
        }
    }

    @Test
    void theJarHasTheTextOfEachLicense() throws IOException {
        try (JarFile jar = new JarFile(System.getProperty("lock.cli.jar"))) {
            String others = text(jar, "META-INF/THIRD-PARTY.txt");

            List<String> ofMit = LINE.matcher(others)
                    .results()
                    .filter(line -> line.group(2).equals("MIT"))
                    .map(MatchResult::group)
                    .map(line -> line.split(" {2,}", -1)[1])
                    .toList();

            assertEquals(Files.readString(Path.of("..", "LICENSE")), text(jar, "META-INF/LICENSE"));
            assertTrue(text(jar, "META-INF/NOTICE").contains("The Apache Software Foundation"));
            assertTrue(others.contains("Permission is hereby granted, free of charge"));
            assertEquals(List.of("SLF4J", "redis-authx-core", "Jedis"), ofMit);
            for (String project : ofMit) {
                assertTrue(
                        Pattern.compile("(?m)^" + project + ": ")
                                .matcher(others)
                                .find(),
                        project);
            }
        }
    }

    private static String text(JarFile jar, String name) throws IOException {
        try (InputStream text = jar.getInputStream(jar.getEntry(name))) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}

package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;

/** The table of server states in {@code docs/redis.md} names tests and rules that exist. */
class ServerStatesTableTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final Pattern TEST = Pattern.compile("`(\\w+)\\.(\\w+)`");
    private static final Pattern RULE = Pattern.compile("[FSV]\\d+\\.\\d+");

    /** Returns the last cell of each row. */
    private static List<String> tests() throws IOException {
        String page = Files.readString(DOCS.resolve("redis.md"));
        String section = page.substring(page.indexOf("\n## Server states\n") + 1);
        return section.substring(0, section.indexOf("\n## "))
                .lines()
                .filter(line -> line.startsWith("| "))
                .skip(1)
                .map(line -> line.substring(line.lastIndexOf('|', line.length() - 2)))
                .toList();
    }

    @Test
    void eachStateHasATestOrARule() throws IOException {
        assertThat(tests())
                .hasSizeGreaterThan(10)
                .allMatch(
                        cell -> TEST.matcher(cell).find() || RULE.matcher(cell).find());
    }

    @Test
    void eachTestExists() throws IOException, ClassNotFoundException {
        for (String cell : tests()) {
            for (MatchResult named : TEST.matcher(cell).results().toList()) {
                Class<?> tests = Class.forName(getClass().getPackageName() + "." + named.group(1));
                assertThat(tests.getDeclaredMethods())
                        .as("%s", named.group())
                        .filteredOn(ServerStatesTableTest::isTest)
                        .extracting(Method::getName)
                        .contains(named.group(2));
            }
        }
    }

    private static boolean isTest(Method method) {
        return Arrays.stream(method.getAnnotations())
                .anyMatch(mark -> mark instanceof Test || mark instanceof ParameterizedTest);
    }

    @Test
    void eachRuleExists() throws IOException {
        String contract = Files.readString(DOCS.resolve("contract.md"));

        for (String cell : tests()) {
            assertThat(RULE.matcher(cell).results().map(MatchResult::group))
                    .allSatisfy(rule -> assertThat(contract).contains("\n### " + rule + " "));
        }
    }
}

package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;

/** {@code docs/contract.md} states a rule for each test of the contract, and the contract has a test for each rule. */
class ContractDocumentTest {
    private static final String COMPLETE = """
            ### S1.1 Holds never overlap

            They never
            overlap.

            - **Why:** Accidents.
            - **Bound:** none
            - **Look at:** `Contender.attempt`,
              once more.
            - **Source:** a paper
            """;

    private static Stream<Method> rules() {
        return Arrays.stream(LockContract.class.getDeclaredClasses())
                .flatMap(nested -> Arrays.stream(nested.getSuperclass().getDeclaredMethods()))
                .filter(method ->
                        method.isAnnotationPresent(Test.class) || method.isAnnotationPresent(ParameterizedTest.class));
    }

    @Test
    void eachRuleHasATestAndEachTestHasARule() {
        assertEquals(
                new TreeSet<>(ContractRule.all().keySet()),
                rules().map(method -> PromiseNames.code(method.getName()))
                        .collect(Collectors.toCollection(TreeSet::new)),
                "numbers in docs/contract.md and in the tests' names");
    }

    @Test
    void noTwoTestsHaveTheSameNumber() {
        Map<String, Long> tests = rules().map(method -> PromiseNames.code(method.getName()))
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
        tests.forEach((number, count) -> assertEquals(1, count, number));
    }

    @Test
    void titlesAreTheNamesOfTheTests() {
        rules().forEach(method -> {
            ContractRule rule = ContractRule.of(method.getName());
            assertNotNull(rule, method.getName());
            assertEquals(letters(PromiseNames.readable(method.getName())), letters(rule.number() + rule.title()));
        });
    }

    private static String letters(String text) {
        return text.replaceAll("[^\\p{Alnum}]", "").toLowerCase(Locale.ROOT);
    }

    @Test
    void numbersStandInOrder() {
        Map<String, Integer> last = new HashMap<>();
        ContractRule.all().keySet().forEach(rule -> {
            String[] parts = rule.split("\\.", -1);
            int number = Integer.parseInt(parts[1]);
            assertTrue(number > last.getOrDefault(parts[0], 0), rule);
            last.put(parts[0], number);
        });
    }

    @Test
    void aRuleIsReadWithAllItsLines() {
        ContractRule rule = ContractRule.parse(COMPLETE).get("S1.1");
        assertEquals(
                new ContractRule(
                        "S1.1",
                        "Holds never overlap",
                        "They never overlap.",
                        "Accidents.",
                        "none",
                        "`Contender.attempt`, once more.",
                        "a paper"),
                rule);
    }

    @Test
    void aRuleThatLacksSomethingIsNoRule() {
        String incomplete = COMPLETE.replaceAll("- \\*\\*Source.*", "");
        IllegalStateException failure = assertThrows(IllegalStateException.class, () -> ContractRule.parse(incomplete));
        assertTrue(failure.getMessage().startsWith("S1.1 does not say: - **Source"), failure.getMessage());
    }

    @Test
    void guaranteesNameRulesThatExist() throws IOException {
        Matcher rule = Pattern.compile("\\b(?:[SVF]\\d+|API)\\.\\d+\\b")
                .matcher(Files.readString(Path.of("../docs/guarantees.md")));
        int named = 0;
        for (; rule.find(); named++) {
            assertTrue(ContractRule.all().containsKey(rule.group()), rule.group() + " in guarantees.md is no rule");
        }
        assertTrue(named > 0, "guarantees.md names rules");
    }
}

package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Each rule of the contract finds a planted bug, and {@code docs/contract-tested.md} lists what is planted. */
class ContractTestedTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "contract-tested.md");
    private static final Path RIGHT = Path.of("target", "contract-tested.md");

    @Test
    void theListIsUpToDate() throws IOException {
        String right = text();
        String seen = Files.exists(DOCUMENT) ? Files.readString(DOCUMENT) : "";
        if (!seen.equals(right)) {
            Files.writeString(RIGHT, right);
        }

        assertEquals(right, seen, DOCUMENT + " is out of date: copy " + RIGHT.toAbsolutePath());
    }

    @Test
    void eachRuleFindsABug() {
        Set<String> without = new TreeSet<>(ContractRule.all().keySet());
        without.removeAll(rulesThatFindOne());

        assertTrue(without.isEmpty(), "no planted bug breaks " + without + ": plant one in a Broken… class");
    }

    @Test
    void eachBugIsAnotherOneAndNamesRulesThatExist() {
        Set<String> bugs = PlantedBug.all().map(PlantedBug::bug).collect(Collectors.toSet());
        Set<String> unknown = new TreeSet<>(rulesThatFindOne());
        unknown.removeAll(ContractRule.all().keySet());

        assertEquals(PlantedBug.all().count(), bugs.size(), "bugs");
        assertEquals(Set.of(), unknown, "rules that are not in docs/contract.md");
    }

    private static Set<String> rulesThatFindOne() {
        return PlantedBug.all().flatMap(planted -> planted.rules().stream()).collect(Collectors.toSet());
    }

    private static String text() {
        StringBuilder text = new StringBuilder(
                String.format("""
                # The contract is tested

                Use this page to look up which bugs each rule of the [contract](contract.md) finds. It lists %d
                backends over the in-memory store. Each has one bug, a few lines long, and fails the rules beside it.
                It fails each by an assertion that names the rule. The build fails if a bug survives one of its rules,
                or if one of the %d rules finds no bug.

                `BrokenBackendsTest` runs the backends. `ContractTestedTest` compares this page with the planted bugs.
                If the page is out of date, copy `lock-tests/target/contract-tested.md` here. Add a new bug to one of
                the `Broken…` classes of `lock-tests`. With `-Dlock.broken=all`, the test runs each backend against
                all rules, and writes the failures to `lock-tests/target/broken-backends.txt`.
                """, PlantedBug.all().count(), ContractRule.all().size()));
        PlantedBug.groups().forEach((title, group) -> {
            text.append("\n## ").append(title).append("\n\n| planted bug | found by |\n|---|---|\n");
            group.forEach(planted -> text.append("| ")
                    .append(planted.bug())
                    .append(" | ")
                    .append(String.join(", ", planted.rules()))
                    .append(" |\n"));
        });
        return text.toString();
    }
}

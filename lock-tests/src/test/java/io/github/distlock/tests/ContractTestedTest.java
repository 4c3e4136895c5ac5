package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docs/contract-tested.md} says what is planted. */
class ContractTestedTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "contract-tested.md");
    private static final Path RIGHT = Path.of("target", "contract-tested.md");

    @Test
    void theListIsUpToDate() throws IOException {
        String right = text();
        if (!Files.exists(DOCUMENT) || !Files.readString(DOCUMENT).equals(right)) {
            Files.writeString(RIGHT, right);
        }
        assertTrue(Files.exists(DOCUMENT), DOCUMENT + " is missing: copy " + RIGHT.toAbsolutePath());
        assertEquals(right, Files.readString(DOCUMENT), DOCUMENT + " is out of date: copy " + RIGHT.toAbsolutePath());
    }

    @Test
    void eachBugIsAnotherOneAndNamesRulesThatExist() {
        Set<String> bugs = BrokenBackend.all().map(BrokenBackend::bug).collect(Collectors.toSet());
        assertEquals(BrokenBackend.all().count(), bugs.size(), "bugs");
        Set<String> unknown = rulesThatFindOne().stream()
                .filter(rule -> !ContractRule.all().containsKey(rule))
                .collect(Collectors.toSet());
        assertEquals(Set.of(), unknown, "rules that are not in docs/contract.md");
    }

    private static Set<String> rulesThatFindOne() {
        return BrokenBackend.all().flatMap(broken -> broken.rules().stream()).collect(Collectors.toSet());
    }

    private static String text() {
        StringBuilder text = new StringBuilder(String.format(
                """
                # The contract is tested

                A rule that nothing breaks proves nothing. Here are %d backends over the in-memory store, each with one bug, a few
                lines long, and the rules of the [contract](contract.md) that have to fail for it, each by an assertion that names
                it. One that survives fails the build. %d of the %d rules find at least one; most of the others are about what the
                engine does alone.

                `BrokenBackendsTest` runs them, and `ContractTestedTest` compares this page with what is planted: when it is out of
                date, copy `lock-tests/target/contract-tested.md` here. A new bug goes into one of the `Broken…` classes of
                `lock-tests`; with `-Dlock.broken=all` each is run against all rules, and what fails is written to
                `lock-tests/target/broken-backends.txt`.
                """,
                BrokenBackend.all().count(),
                rulesThatFindOne().size(),
                ContractRule.all().size()));
        BrokenBackend.groups().forEach((title, group) -> {
            text.append("\n## ").append(title).append("\n\n| planted bug | found by |\n|---|---|\n");
            group.forEach(broken -> text.append("| ")
                    .append(broken.bug())
                    .append(" | ")
                    .append(String.join(", ", broken.rules()))
                    .append(" |\n"));
        });
        return text.toString();
    }
}

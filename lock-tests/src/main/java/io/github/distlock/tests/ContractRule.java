package io.github.distlock.tests;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One rule of the contract. {@code docs/contract.md}, which this artifact contains, states it under a heading with
 * number and title.
 *
 * @param number as in S6.3
 * @param title the rule in short, which is also the name of its test
 * @param rule what holds
 * @param why what goes wrong without it
 * @param bound the number in it, or none
 * @param lookAt what the author of a backend checks if it is broken
 * @param source where it comes from
 */
record ContractRule(String number, String title, String rule, String why, String bound, String lookAt, String source) {
    private static final String DOCUMENT = "contract.md";
    private static final Pattern HEADING = Pattern.compile("### (?<number>[A-Z]+\\d*\\.\\d+) (?<title>.+)");
    private static final Pattern ITEM =
            Pattern.compile("- \\*\\*(?<label>Why|Bound|Look at|Source):\\*\\* (?<text>.+)");
    private static final String RULE = "Rule";

    /** Returns all rules by number, in the order of the document. */
    static Map<String, ContractRule> all() {
        return Document.RULES;
    }

    /** Returns the rule of a test method, such as {@code s6_3_…}. */
    static @Nullable ContractRule of(String method) {
        return all().get(PromiseNames.code(method));
    }

    /** Explains the rule to the author of a backend that broke it. */
    String explained() {
        return String.format("%n  The rule: %s%n  Look at: %s%n  Bound: %s", rule, lookAt, bound);
    }

    private static final class Document {
        private static final Map<String, ContractRule> RULES = parse(read());

        private static List<String> read() {
            try (InputStream document = ContractRule.class.getResourceAsStream(DOCUMENT)) {
                if (document == null) {
                    throw new IllegalStateException(DOCUMENT + " is missing beside " + ContractRule.class.getName());
                }
                return new String(document.readAllBytes(), StandardCharsets.UTF_8)
                        .lines()
                        .toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    static Map<String, ContractRule> parse(List<String> document) {
        Map<String, ContractRule> rules = new LinkedHashMap<>();
        Section section = null;
        for (String line : document) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches() || line.startsWith("#")) {
                if (section != null) {
                    section.addTo(rules);
                }
                section = heading.matches() ? new Section(heading.group("number"), heading.group("title")) : null;
            } else if (section != null) {
                section.read(line);
            }
        }
        if (section != null) {
            section.addTo(rules);
        }
        return rules;
    }

    private static final class Section {
        private final String number;
        private final String title;
        private final Map<String, List<String>> texts = new LinkedHashMap<>();
        private List<String> current;

        private Section(String number, String title) {
            this.number = number;
            this.title = title;
            this.current = new ArrayList<>();
            texts.put(RULE, current);
        }

        private List<String> begin(String label) {
            List<String> lines = new ArrayList<>();
            if (texts.put(label, lines) != null) {
                throw new IllegalStateException(number + " says twice: " + label);
            }
            return lines;
        }

        private void read(String line) {
            Matcher item = ITEM.matcher(line);
            if (item.matches()) {
                current = begin(item.group("label"));
                current.add(item.group("text"));
            } else if (!line.isBlank()) {
                current.add(line.strip());
            }
        }

        private void addTo(Map<String, ContractRule> rules) {
            ContractRule rule = new ContractRule(
                    number, title, text(RULE), text("Why"), text("Bound"), text("Look at"), text("Source"));
            if (rules.put(number, rule) != null) {
                throw new IllegalStateException("two rules have the number " + number);
            }
        }

        private String text(String label) {
            String text = String.join(" ", texts.getOrDefault(label, List.of()));
            if (text.isEmpty()) {
                throw new IllegalStateException(number + " does not say: " + label);
            }
            return text;
        }
    }
}

package io.github.distlock.tests;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
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
    /** A heading and what follows up to the next one. */
    private static final Pattern SECTION =
            Pattern.compile("(?ms)^### (?<number>[A-Z]+\\d*\\.\\d+) (?<title>[^\n]+)\n(?<text>.*?)(?=^#|\\z)");

    private static final String ITEM = "- **";

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

    static Map<String, ContractRule> parse(String document) {
        Map<String, ContractRule> rules = new LinkedHashMap<>();
        Matcher section = SECTION.matcher(document);
        while (section.find()) {
            String number = section.group("number");
            if (rules.put(number, of(section)) != null) {
                throw new IllegalStateException("two rules have the number " + number);
            }
        }
        return rules;
    }

    private static ContractRule of(Matcher section) {
        return new ContractRule(
                section.group("number"),
                section.group("title"),
                item(section, ""),
                item(section, ITEM + "Why:** "),
                item(section, ITEM + "Bound:** "),
                item(section, ITEM + "Look at:** "),
                item(section, ITEM + "Source:** "));
    }

    private static String item(Matcher section, String label) {
        String text = section.group("text");
        int begin = text.indexOf(label) + label.length();
        int next = text.indexOf(ITEM, begin);
        String item = text.substring(begin, next < 0 ? text.length() : next).strip();
        if (!text.contains(label) || item.isEmpty()) {
            throw new IllegalStateException(section.group("number") + " does not say: " + label);
        }
        return item.replaceAll("\\s*\n\\s*", " ");
    }

    private static final class Document {
        private static final Map<String, ContractRule> RULES = parse(read());

        private static String read() {
            try (InputStream document = ContractRule.class.getResourceAsStream(DOCUMENT)) {
                if (document == null) {
                    throw new IllegalStateException(DOCUMENT + " is missing beside " + ContractRule.class.getName());
                }
                return new String(document.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

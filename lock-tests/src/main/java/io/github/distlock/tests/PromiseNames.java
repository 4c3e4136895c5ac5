package io.github.distlock.tests;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayNameGenerator;

/**
 * Shows a test method {@code s1_holdsNeverOverlap} as "S1: holds never overlap", and that of a rule of the contract,
 * {@code s1_2_holdsOfClientsNeverOverlap}, as "S1.2: holds of clients never overlap".
 */
public final class PromiseNames extends DisplayNameGenerator.Standard {
    private static final Pattern NAME = Pattern.compile("(?<promise>[a-z]+\\d*)_(?:(?<number>\\d+)_)?(?<words>\\w+)");
    private static final Pattern UPPER_CASE = Pattern.compile("\\p{Lu}");

    /** For JUnit. */
    public PromiseNames() {}

    @Override
    public String generateDisplayNameForMethod(List<Class<?>> enclosing, Class<?> testClass, Method method) {
        return readable(method.getName());
    }

    static String readable(String method) {
        return code(method) + ": " + words(method);
    }

    /** Returns the number, which comes before the colon. */
    static String code(String method) {
        Matcher name = parsed(method);
        String promise = name.group("promise").toUpperCase(Locale.ROOT);
        String number = name.group("number");
        return number == null ? promise : promise + "." + number;
    }

    private static String words(String method) {
        return UPPER_CASE
                .matcher(parsed(method).group("words"))
                .replaceAll(found -> " " + found.group().toLowerCase(Locale.ROOT));
    }

    private static Matcher parsed(String method) {
        Matcher name = NAME.matcher(method);
        if (!name.matches()) {
            throw new IllegalArgumentException(
                    "test methods are named as in s1_holdsNeverOverlap, but this: " + method);
        }
        return name;
    }
}

package io.github.distlock.tests;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayNameGenerator;

/** Shows a test method {@code s1_holdsNeverOverlap} as "S1: holds never overlap". */
public final class PromiseNames extends DisplayNameGenerator.Standard {
    private static final Pattern UPPER_CASE = Pattern.compile("\\p{Lu}");

    /** For JUnit. */
    public PromiseNames() {}

    @Override
    public String generateDisplayNameForMethod(List<Class<?>> enclosing, Class<?> testClass, Method method) {
        return readable(method.getName());
    }

    static String readable(String rule) {
        int end = rule.indexOf('_');
        return rule.substring(0, end).toUpperCase(Locale.ROOT) + ": " + words(rule.substring(end + 1));
    }

    private static String words(String camelCase) {
        return UPPER_CASE
                .matcher(camelCase)
                .replaceAll(found -> " " + found.group().toLowerCase(Locale.ROOT));
    }
}

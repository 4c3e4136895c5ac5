package io.github.distlock.simulator.redis;

import java.util.regex.Pattern;

/** Numbers in commands and replies, as Redis reads and writes them. */
final class Numbers {
    private static final Pattern DECIMAL = Pattern.compile("[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+)?");

    /** Below this, {@code %.17g} writes a number without an exponent. */
    private static final double PLAIN = 1e17;

    private static final int MOST_DIGITS = 18;

    private Numbers() {}

    /** Writes a number of a script or a score, as {@code %.17g} does. The model needs integers only. */
    static String text(double number) {
        if (number == Math.rint(number) && Math.abs(number) < PLAIN) {
            return Long.toString((long) number);
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        }
        throw new UnsupportedOperationException("the model does not write " + number);
    }

    static long integer(String text) {
        if (isShortInteger(text) || text.matches("-?[1-9]\\d{18}")) {
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException e) {
                // 19 digits may be too many. The server says the same as of a text.
            }
        }
        throw new RedisError("ERR value is not an integer or out of range");
    }

    /** Returns whether a text is an integer of few digits, without zeros in front. */
    private static boolean isShortInteger(String text) {
        int from = text.startsWith("-") ? 1 : 0;
        int digits = text.length() - from;
        if (digits < 1 || digits > MOST_DIGITS || (text.charAt(from) == '0' && text.length() > 1)) {
            return false;
        }
        return text.chars().skip(from).allMatch(each -> each >= '0' && each <= '9');
    }

    static double score(String text) {
        return decimal(text, "ERR value is not a valid float");
    }

    /** Reads the lower and the upper bound of scores. */
    static SortedSet.Scores bounds(String least, String most) {
        boolean withoutLeast = least.startsWith("(");
        boolean withoutMost = most.startsWith("(");
        return new SortedSet.Scores(
                bound(withoutLeast ? least.substring(1) : least),
                withoutLeast,
                bound(withoutMost ? most.substring(1) : most),
                withoutMost);
    }

    private static double bound(String text) {
        return decimal(text, "ERR min or max is not a float");
    }

    private static double decimal(String text, String otherwise) {
        if (isShortInteger(text)) {
            return Long.parseLong(text);
        }
        return switch (text) {
            case "inf", "+inf" -> Double.POSITIVE_INFINITY;
            case "-inf" -> Double.NEGATIVE_INFINITY;
            default -> {
                if (!DECIMAL.matcher(text).matches()) {
                    throw new RedisError(otherwise);
                }
                yield Double.parseDouble(text);
            }
        };
    }
}

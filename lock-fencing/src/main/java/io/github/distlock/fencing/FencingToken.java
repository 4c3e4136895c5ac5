package io.github.distlock.fencing;

import static java.util.Objects.requireNonNull;

import java.util.regex.Pattern;

/**
 * Fencing tokens as text, for requests and messages between processes.
 *
 * <p>A token decides which requests a resource accepts. So accept one only from clients that may write to the resource:
 * a client that makes up a great token keeps the others out.
 */
public final class FencingToken {
    /** The name of the HTTP header that has the token of the sender's hold. */
    public static final String HTTP_HEADER = "Fencing-Token";

    /** The name of the message header that has the token of the sender's hold. */
    public static final String MESSAGE_HEADER = "fencing-token";

    private static final int DIGITS = 19;
    private static final Pattern DECIMAL = Pattern.compile("[0-9]{1," + DIGITS + "}");
    private static final int LONGEST_QUOTE = 40;

    private FencingToken() {}

    /**
     * Returns a token as text: 19 digits, with leading zeros. The order of such texts is the order of their tokens.
     *
     * @param token a positive token
     * @return the text
     * @throws IllegalArgumentException if the token is not positive
     */
    public static String toText(long token) {
        String digits = Long.toString(requirePositive(token));
        return "0".repeat(DIGITS - digits.length()) + digits;
    }

    /**
     * Returns the token that a text says, with or without leading zeros.
     *
     * @param text 1 to 19 decimal digits of ASCII, and nothing else
     * @return a positive token
     * @throws IllegalArgumentException if the text is anything else, or its number is 0 or exceeds a {@code long}. The
     *     message quotes at most 40 characters of the text, each one outside of printable ASCII as a question mark.
     */
    public static long parse(String text) {
        requireNonNull(text, "text");
        // 19 digits always fit an unsigned number. It is negative as a long if it exceeds one.
        long token = DECIMAL.matcher(text).matches() ? Long.parseUnsignedLong(text) : 0;
        if (token <= 0) {
            throw new IllegalArgumentException(
                    "text must be a number from 1 to " + Long.MAX_VALUE + " in 1 to 19 digits, but was " + quote(text));
        }
        return token;
    }

    /** A text of a stranger must neither fill a log nor begin a new line there. */
    private static String quote(String text) {
        boolean isLong = text.length() > LONGEST_QUOTE;
        String beginning = isLong ? text.substring(0, LONGEST_QUOTE) : text;
        return "\"" + beginning.replaceAll("[^ -~]", "?") + (isLong ? "\"…" : "\"");
    }

    static long requirePositive(long token) {
        if (token <= 0) {
            throw new IllegalArgumentException("token must be positive, but was " + token);
        }
        return token;
    }
}

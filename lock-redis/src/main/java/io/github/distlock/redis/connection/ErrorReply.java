package io.github.distlock.redis.connection;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An error that the server has answered. Its message is the server's words.
 *
 * <p>A <em>refusal</em> fails the acquire at once: the request has certainly not been executed, and another one would
 * get the same error. After any other error the outcome is <em>unknown</em>, and the engine asks again.
 *
 * <table>
 * <caption>What errors mean</caption>
 * <tr><th>error</th><th>means</th></tr>
 * <tr><td>{@code NOPERM}, {@code NOAUTH}, {@code WRONGPASS}, {@code ERR AUTH}, {@code DENIED}</td>
 *     <td>refusal: credentials, rights, protected mode</td></tr>
 * <tr><td>{@code WRONGTYPE}, {@code CROSSSLOT}, unknown commands, database out of range, syntax</td>
 *     <td>refusal: another value at the key, keys of several slots, the wrong server</td></tr>
 * <tr><td>{@code ERR No such master}, no cluster support</td>
 *     <td>refusal: no sentinel knows a primary of that name, the server is no node of a cluster</td></tr>
 * <tr><td>{@code MOVED}, {@code ASK}</td>
 *     <td>refusal: a client that does not follow redirections is connected to a cluster</td></tr>
 * <tr><td>no agreement on TLS, a bad certificate, unreadable key stores</td>
 *     <td>refusal, unless the connection broke in between</td></tr>
 * <tr><td>{@code OOM}, {@code BUSY}, {@code NOREPLICAS}, {@code MISCONF}, {@code TRYAGAIN}, the greatest number of
 *     clients</td><td>unknown: may pass, on the same connection</td></tr>
 * <tr><td>{@code READONLY}, {@code LOADING}, {@code MASTERDOWN}, {@code CLUSTERDOWN}</td>
 *     <td>unknown: may pass, over a new connection</td></tr>
 * <tr><td>{@code NOSCRIPT}</td><td>the request is sent again with the script's text</td></tr>
 * <tr><td>broken connection, silence, refused connection, unknown host, exhausted pool, no reachable node</td>
 *     <td>unknown: networks and name servers recover</td></tr>
 * <tr><td>the backend is closed</td><td>unknown; the engine has closed it, and asks no more</td></tr>
 * </table>
 */
public final class ErrorReply extends RuntimeException {
    private static final long serialVersionUID = 1;

    /**
     * Errors that the same request gets again. All others may pass, such as those of a server that is out of memory.
     */
    private static final Set<String> REFUSALS =
            Set.of("NOPERM", "NOAUTH", "WRONGPASS", "WRONGTYPE", "CROSSSLOT", "DENIED");

    /** Errors of a server that may no longer be the one that the address leads to. */
    private static final Set<String> OTHER_SERVER = Set.of("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN");

    /** Redis before 7 wraps the error of a command in a script in another error. */
    private static final Pattern IN_SCRIPT = Pattern.compile("Error running script.*?: -?([A-Z]+) ");

    /** What a server replies to {@code SET … GET} if it does not know that option. */
    private static final String TOO_OLD = "ERR syntax error";

    /**
     * Makes an error reply.
     *
     * @param words what the server has answered
     * @param cause the exception of the client library
     */
    public ErrorReply(String words, Throwable cause) {
        super(words, cause);
    }

    /**
     * Returns why the server has refused a request.
     *
     * @param words what the server has answered
     * @return its words; empty if the error may pass
     */
    public static String refusal(String words) {
        if (words.startsWith(TOO_OLD)) {
            return words + "; Redis 6.2 or newer is needed";
        }
        return isRefusal(words) ? words : "";
    }

    private static boolean isRefusal(String words) {
        String lower = words.toLowerCase(Locale.ROOT);
        return REFUSALS.contains(code(words))
                || isMissingRightInScript(words)
                || lower.startsWith("err unknown command")
                || lower.startsWith("err no such master")
                || lower.startsWith("err this instance has cluster support disabled")
                || lower.startsWith("err invalid password")
                || lower.startsWith("err db index is out of range")
                || lower.startsWith("err auth ");
    }

    /**
     * Returns whether the right to send a command is missing.
     *
     * @param words what the server has answered
     * @return true if so
     */
    public static boolean isMissingRight(String words) {
        return code(words).equals("NOPERM");
    }

    /**
     * Returns whether Redis 7 or later refuses a command in a script, because the right to send it is missing.
     *
     * @param words what the server has answered
     * @return true if so
     */
    public static boolean isMissingRightInScript(String words) {
        String lower = words.toLowerCase(Locale.ROOT);
        // The words of Redis 7.0, and those of Redis 7.2 and Valkey.
        return lower.contains("can't run this command") || lower.contains("acl failure in script");
    }

    /**
     * Returns whether the server cannot keep locks at present.
     *
     * @param words what the server has answered
     * @return true if so
     */
    public static boolean isOfAnotherServer(String words) {
        return OTHER_SERVER.contains(code(words));
    }

    /**
     * Returns whether a cluster refuses the request because it migrates the slot of the keys. It does so if the request
     * has several keys of which one is missing.
     *
     * @param reply a reply, or an exception
     * @return true if so
     */
    public static boolean isOfMigratingSlot(Object reply) {
        return reply instanceof ErrorReply error
                && code(String.valueOf(error.getMessage())).equals("TRYAGAIN");
    }

    /**
     * Returns whether the server does not know the script, and has executed nothing.
     *
     * @param reply a reply, or an exception
     * @return true if so
     */
    public static boolean isOfMissingScript(Object reply) {
        return reply instanceof ErrorReply error
                && code(String.valueOf(error.getMessage())).equals("NOSCRIPT");
    }

    /**
     * Returns whether a node of a cluster sends the request to another node, and has executed nothing.
     *
     * @param words what the server has answered
     * @return true if so
     */
    public static boolean isRedirection(String words) {
        String code = code(words);
        return code.equals("MOVED") || code.equals("ASK");
    }

    private static String code(String words) {
        Matcher inner = IN_SCRIPT.matcher(words);
        if (inner.find()) {
            return inner.group(1);
        }
        int end = words.indexOf(' ');
        return end < 0 ? words : words.substring(0, end);
    }
}

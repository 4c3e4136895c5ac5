package io.github.distlock.redis;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;

/**
 * The address of one server: {@code redis://[user:password@]host[:port][/database]}, or {@code rediss://…} with TLS.
 * Special characters of the user and the password are in percent code.
 *
 * <p>No message of an error repeats the address, because any part of a malformed one may be a part of the password.
 * Only a plain name of a query parameter is repeated. {@code java.net.URI} would not do: it finds no host if a host
 * name has an underscore, and its own errors repeat their input.
 */
final class RedisAddress {
    private static final int DEFAULT_PORT = 6379;
    private static final String EXPECTED = "uri must be redis://host:port or rediss://host:port, ";

    private static final Pattern PARTS = Pattern.compile("(?i)(rediss?)://([^/?#]*)(/[^?#]*)?(?:\\?([^#]*))?(#.*)?");
    private static final Pattern HOST_AND_PORT =
            Pattern.compile("(?:\\[([0-9A-Fa-f:.]+(?:%[\\w.-]+)?)]|([\\w.-]+))(?::([0-9]{1,5}))?");
    private static final Pattern DATABASE = Pattern.compile("/([0-9]{1,6})?");
    private static final Pattern PARAMETER = Pattern.compile("([A-Za-z][A-Za-z0-9_-]{0,30})=[^@]*");

    final HostAndPort server;
    final boolean tls;
    final @Nullable String user;
    final @Nullable String password;
    /** The number of the database, or -1 if the address names none. */
    final int database;

    /**
     * Reads an address.
     *
     * @throws IllegalArgumentException if it is malformed or has a part that would have no effect; without a cause
     */
    RedisAddress(String uri) {
        Matcher parts = PARTS.matcher(uri);
        if (!parts.matches()) {
            throw invalid("but is not");
        }
        tls = parts.group(1).toLowerCase(Locale.ROOT).equals("rediss");
        String authority = parts.group(2);
        int at = authority.lastIndexOf('@');
        String credentials = authority.substring(0, Math.max(0, at));
        int colon = credentials.indexOf(':');
        if (at >= 0 && colon < 0) {
            throw invalid("with user:password or :password before the @");
        }
        user = colon > 0 ? decoded(credentials.substring(0, colon)) : null;
        password = colon >= 0 ? decoded(credentials.substring(colon + 1)) : null;
        server = server(authority.substring(at + 1));
        database = database(parts.group(3));
        if (parts.group(4) != null) {
            requireNoParameter(parts.group(4));
        }
        if (parts.group(5) != null) {
            throw invalid("without a fragment; a # in the password must be written as %23");
        }
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw invalid("but the user or the password has a % that begins no percent code");
        }
    }

    private static HostAndPort server(String text) {
        if (text.indexOf(',') >= 0) {
            throw invalid("with one host; for several hosts, make a client of Jedis and use RedisBackend.of(client)");
        }
        Matcher matcher = HOST_AND_PORT.matcher(text);
        if (!matcher.matches()) {
            throw invalid("with a host and a port; special characters of the password must be in percent code");
        }
        String host = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
        int port = matcher.group(3) == null ? DEFAULT_PORT : Integer.parseInt(matcher.group(3));
        if (port < 1 || port > 65_535) {
            throw invalid("with a port from 1 to 65535");
        }
        return new HostAndPort(host, port);
    }

    private static int database(@Nullable String path) {
        if (path == null) {
            return -1;
        }
        Matcher matcher = DATABASE.matcher(path);
        if (!matcher.matches()) {
            throw invalid("and what follows the / must be the number of a database");
        }
        return matcher.group(1) == null ? -1 : Integer.parseInt(matcher.group(1));
    }

    private static void requireNoParameter(String query) {
        Matcher matcher = PARAMETER.matcher(query);
        String name = matcher.matches() ? " " + matcher.group(1) : "s";
        throw invalid(
                "without the parameter" + name + ": write the database as /number, and use clientConfig otherwise");
    }

    private static IllegalArgumentException invalid(String reason) {
        return new IllegalArgumentException(EXPECTED + reason);
    }

    @Override
    public String toString() {
        return (tls ? "rediss://" : "redis://") + server;
    }
}

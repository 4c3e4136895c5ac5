package io.github.distlock.redis;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;

/**
 * The address of a deployment: of one server, of its Unix socket, of sentinels, or of some nodes of a cluster. Special
 * characters of user, password, path and the primary's name are in percent code. With {@code rediss} in place of
 * {@code redis}, all connections are made with TLS, which Unix sockets do not have.
 *
 * <pre>
 * redis://[user:password@]host[:port][/database]
 * redis+unix://[user:password@]/path[?database=number]
 * redis-sentinel://[user:password@]host[:port][,host[:port]]…/primary[?parameter=value[&amp;parameter=value]…]
 * redis-cluster://[user:password@]host[:port][,host[:port]]…
 * </pre>
 *
 * <p>No message of an error repeats the address, because any part of a malformed one may be a part of the password.
 * Only a plain name of a query parameter is repeated. {@code java.net.URI} would not do: it finds no host if a host
 * name has an underscore, and its own errors repeat their input.
 */
final class RedisAddress {
    /** What the address leads to. */
    enum Kind {
        SERVER("", 6379, "redis://host:port or rediss://host:port"),
        UNIX_SOCKET("+unix", 0, "redis+unix:///path"),
        SENTINEL("-sentinel", 26379, "redis-sentinel://host:port,host:port/primary"),
        CLUSTER("-cluster", 6379, "redis-cluster://host:port,host:port");

        private final String suffix;
        private final int defaultPort;
        private final String form;

        Kind(String suffix, int defaultPort, String form) {
            this.suffix = suffix;
            this.defaultPort = defaultPort;
            this.form = form;
        }
    }

    private static final String DATABASE = "database";
    private static final String SENTINEL_USER = "sentinelUser";
    private static final String SENTINEL_PASSWORD = "sentinelPassword";
    /** No system has room for more in the address of a socket. */
    private static final int LONGEST_SOCKET_PATH = 108;

    private static final Pattern PARTS =
            Pattern.compile("(?i)redis(s?)(-sentinel|-cluster|\\+unix|)://([^/?#]*)(/[^?#]*)?(?:\\?([^#]*))?(#.*)?");
    private static final Pattern HOST_AND_PORT =
            Pattern.compile("(?:\\[([0-9A-Fa-f:.]+(?:%[\\w.-]+)?)]|([\\w.-]+))(?::([0-9]{1,5}))?");
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,6}");
    private static final Pattern PARAMETER = Pattern.compile("([A-Za-z][A-Za-z0-9_-]{0,30})=([^@]*)");

    final Kind kind;
    /** The server, the sentinels, or some nodes. */
    final List<HostAndPort> servers;

    final boolean tls;
    final @Nullable String user;
    final @Nullable String password;
    /** The number of the database, or -1 if the address names none. */
    final int database;
    /** What the sentinels call the primary; empty without sentinels. */
    final String primary;

    final @Nullable String sentinelUser;
    final @Nullable String sentinelPassword;

    /**
     * Reads an address.
     *
     * @throws IllegalArgumentException if it is malformed or has a part that would have no effect; without a cause
     */
    RedisAddress(String uri) {
        Matcher parts = PARTS.matcher(uri);
        if (!parts.matches()) {
            throw new IllegalArgumentException("uri must be redis://host:port, " + Kind.UNIX_SOCKET.form + ", "
                    + Kind.SENTINEL.form + " or " + Kind.CLUSTER.form + ", but is not");
        }
        tls = !parts.group(1).isEmpty();
        kind = kind(parts.group(2).toLowerCase(Locale.ROOT));
        String authority = parts.group(3);
        int at = authority.lastIndexOf('@');
        String credentials = authority.substring(0, Math.max(0, at));
        int colon = credentials.indexOf(':');
        if (at >= 0 && colon < 0) {
            throw invalid("with user:password or :password before the @");
        }
        user = colon > 0 ? decoded(credentials.substring(0, colon), "the user") : null;
        password = colon >= 0 ? decoded(credentials.substring(colon + 1), "the password") : null;
        String hosts = authority.substring(at + 1);
        if (parts.group(6) != null) {
            throw invalid("without a fragment; a # in the password must be written as %23");
        }
        String path = parts.group(4) == null ? "" : parts.group(4).substring(1);
        servers = kind == Kind.UNIX_SOCKET ? List.of(socketFile(hosts, path)) : servers(hosts);
        Map<String, String> parameters = parameters(parts.group(5));
        primary = kind == Kind.SENTINEL ? primary(path) : "";
        database = number(knownParameters().contains(DATABASE) ? parameters.getOrDefault(DATABASE, "") : path);
        sentinelUser = parameters.get(SENTINEL_USER);
        sentinelPassword = parameters.get(SENTINEL_PASSWORD);
        if (sentinelUser != null && sentinelPassword == null) {
            throw invalid("and " + SENTINEL_USER + " needs " + SENTINEL_PASSWORD);
        }
    }

    private static Kind kind(String suffix) {
        return Arrays.stream(Kind.values())
                .filter(each -> each.suffix.equals(suffix))
                .findFirst()
                .orElseThrow();
    }

    private String decoded(String text, String what) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw invalid("but " + what + " has a % that begins no percent code");
        }
    }

    private List<HostAndPort> servers(String text) {
        if (kind == Kind.SERVER && text.indexOf(',') >= 0) {
            throw invalid("with one host; several hosts need redis-sentinel:// or redis-cluster://");
        }
        return Arrays.stream(text.split(",", -1)).map(this::server).toList();
    }

    private HostAndPort server(String text) {
        Matcher matcher = HOST_AND_PORT.matcher(text);
        if (!matcher.matches()) {
            throw invalid("with a host and a port; special characters of the password must be in percent code");
        }
        String host = matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
        int port = matcher.group(3) == null ? kind.defaultPort : Integer.parseInt(matcher.group(3));
        if (port < 1 || port > 65_535) {
            throw invalid("with a port from 1 to 65535");
        }
        return new HostAndPort(host, port);
    }

    private HostAndPort socketFile(String hosts, String path) {
        if (tls) {
            throw invalid("without TLS, which Unix sockets do not have");
        }
        if (!hosts.isEmpty()) {
            throw invalid("without a host; special characters of the password must be in percent code");
        }
        String file = "/" + decoded(path, "the path");
        if (file.endsWith("/") || path.indexOf('@') >= 0) {
            throw invalid("with the path of a file, in percent code");
        }
        if (file.getBytes(StandardCharsets.UTF_8).length > LONGEST_SOCKET_PATH) {
            throw invalid("with a path of at most " + LONGEST_SOCKET_PATH + " bytes");
        }
        try {
            return new SocketFile(file);
        } catch (InvalidPathException e) {
            throw invalid("with a path that this system knows");
        }
    }

    private String primary(String path) {
        if (path.isEmpty() || path.indexOf('/') >= 0 || path.indexOf('@') >= 0) {
            throw invalid("and the / must be followed by what the sentinels call the primary, in percent code");
        }
        return decoded(path, "the primary's name");
    }

    private int number(String text) {
        if (text.isEmpty()) {
            return -1;
        }
        if (!NUMBER.matcher(text).matches()) {
            throw invalid(
                    knownParameters().contains(DATABASE)
                            ? "and " + DATABASE + " must be a number"
                            : "and what follows the / must be the number of a database");
        }
        int number = Integer.parseInt(text);
        if (kind == Kind.CLUSTER && number > 0) {
            throw invalid("and a cluster has the database 0 alone");
        }
        return number;
    }

    private Set<String> knownParameters() {
        return switch (kind) {
            case SERVER, CLUSTER -> Set.of();
            case UNIX_SOCKET -> Set.of(DATABASE);
            case SENTINEL -> Set.of(DATABASE, SENTINEL_USER, SENTINEL_PASSWORD);
        };
    }

    private Map<String, String> parameters(@Nullable String query) {
        if (query == null) {
            return Map.of();
        }
        Map<String, String> parameters = new HashMap<>();
        for (String each : query.split("&", -1)) {
            Matcher matcher = PARAMETER.matcher(each);
            String name = matcher.matches() ? matcher.group(1) : "";
            if (!knownParameters().contains(name)) {
                throw unknownParameter(name);
            }
            if (parameters.put(name, decoded(matcher.group(2), name)) != null) {
                throw invalid("with one parameter " + name);
            }
        }
        return parameters;
    }

    private IllegalArgumentException unknownParameter(String name) {
        String which = name.isEmpty() ? "parameters that are not name=value" : "the parameter " + name;
        String instead = knownParameters().contains(DATABASE)
                ? "; there are " + knownParameters().stream().sorted().collect(Collectors.joining(", "))
                : ": write the database as /number, and use clientConfig otherwise";
        return invalid("without " + which + instead);
    }

    private IllegalArgumentException invalid(String reason) {
        return new IllegalArgumentException("uri must be " + kind.form + ", " + reason);
    }

    @Override
    public String toString() {
        if (kind == Kind.UNIX_SOCKET) {
            return servers.get(0).toString();
        }
        String hosts = servers.stream().map(HostAndPort::toString).collect(Collectors.joining(","));
        return "redis" + (tls ? "s" : "") + kind.suffix + "://" + hosts + (primary.isEmpty() ? "" : "/" + primary);
    }
}

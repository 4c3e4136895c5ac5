package io.github.distlock.spring.boot;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.ssl.SslBundle;

/**
 * Where Redis is. The credentials of {@code spring.data.redis.…} are not in the URI, so they need no percent-encoding.
 *
 * @param uri as {@code RedisBackend.connect} reads it
 * @param tls null for the TLS of the URI alone
 */
record RedisAddress(
        String uri,
        Credentials servers,
        Credentials sentinels,
        @Nullable SslBundle tls) {

    /** A user and a password, either of which may be missing. */
    record Credentials(@Nullable String user, @Nullable String password) {
        static final Credentials NONE = new Credentials(null, null);
    }

    /** Reads the connection details of Boot. Each generation has its own class for them. */
    @FunctionalInterface
    interface Source {

        /** Returns the address, or null if the application has no connection details. */
        @Nullable
        RedisAddress find();
    }

    static String server(String host, int port, int database) {
        return "redis://" + node(host, port) + "/" + database;
    }

    static String sentinels(List<String> nodes, String primary, int database) {
        String encoded = URLEncoder.encode(primary, StandardCharsets.UTF_8).replace("+", "%20");
        return "redis-sentinel://" + String.join(",", nodes) + "/" + encoded + "?database=" + database;
    }

    static String cluster(List<String> nodes) {
        return "redis-cluster://" + String.join(",", nodes);
    }

    static String node(String host, int port) {
        return (host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host) + ":" + port;
    }

    /** Returns the URI without credentials, for log lines. */
    @Override
    public String toString() {
        String shown = uri.replaceAll("^([^:]+://)(?:[^/?#]*@)?([^?#]*).*$", "$1$2");
        return tls == null ? shown : shown.replaceFirst("^redis(?!s)", "rediss");
    }
}

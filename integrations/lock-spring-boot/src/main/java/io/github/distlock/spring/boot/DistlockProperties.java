package io.github.distlock.spring.boot;

import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The properties that begin with {@code distlock}. {@code docs/names.md} lists them.
 *
 * @param enabled Whether to set up locks.
 * @param backend Where to keep locks. Needed only if the class path has several backends.
 * @param clientName The client's name in thread names, log lines and at the store. The name of the application by
 *     default.
 * @param namespace Separates the locks of this application from those of others in the same store. The keys in Redis
 *     begin with "distlock-NAMESPACE:", and the nodes of ZooKeeper are below "/distlock-NAMESPACE". Empty by default,
 *     so equal names of different applications are the same lock.
 * @param lease For how long the store keeps a lock of a client that has crashed. ZooKeeper uses the session timeout.
 * @param fair Whether locks are granted first come, first served over all clients.
 * @param requestTimeout How long one request to the store may take.
 * @param outageTimeout How long an acquire without a time limit asks a store that does not answer.
 * @param shutdownTimeout How long the client waits for holders at shutdown.
 * @param redis The settings of Redis.
 * @param zookeeper The settings of ZooKeeper.
 * @param metrics The meters of lock-micrometer.
 * @param observations The observations of lock-micrometer.
 */
@ConfigurationProperties("distlock")
record DistlockProperties(
        @DefaultValue("true") boolean enabled,
        @Nullable BackendKind backend,
        @Nullable String clientName,
        @DefaultValue("") String namespace,
        @DefaultValue("30s") Duration lease,
        @DefaultValue("false") boolean fair,
        @DefaultValue("1s") Duration requestTimeout,
        @DefaultValue("30s") Duration outageTimeout,
        @DefaultValue("2s") Duration shutdownTimeout,
        @DefaultValue Redis redis,
        @DefaultValue ZooKeeper zookeeper,
        @DefaultValue Metrics metrics,
        @DefaultValue Observations observations) {
    private static final Pattern NAMESPACE = Pattern.compile("[A-Za-z0-9._-]*|\\{[A-Za-z0-9._-]+}");

    DistlockProperties {
        if (!NAMESPACE.matcher(namespace).matches()) {
            throw new LockStartUpException(
                    "distlock.namespace is \"" + namespace + "\", which has other characters than letters, digits,"
                            + " dots, hyphens and underscores.",
                    "Choose another namespace. Braces around all of it make it a hash tag of a Redis cluster.");
        }
    }

    /**
     * The settings of Redis.
     *
     * @param url The address of Redis: redis://host:port, redis+unix:///path,
     *     redis-sentinel://host:port,host:port/primary or redis-cluster://host:port,host:port. With "rediss" in place
     *     of "redis", connections use TLS. Without this property, the connection details of Spring Data Redis apply.
     * @param username The user at Redis, if the URL names none.
     * @param password The password at Redis, if the URL has none.
     * @param maxConnections How many requests may be under way at once to each server.
     * @param awaitReplicas How many replicas must confirm a grant.
     * @param publishFromClient Whether clients publish messages themselves, for proxies that refuse PUBLISH in scripts.
     * @param ssl The TLS of the connections to the URL.
     */
    record Redis(
            @Nullable String url,
            @Nullable String username,
            @Nullable String password,
            @DefaultValue("64") int maxConnections,
            @DefaultValue("0") int awaitReplicas,
            @DefaultValue("false") boolean publishFromClient,
            @DefaultValue Ssl ssl) {}

    /**
     * The TLS of the connections to Redis.
     *
     * @param bundle The name of an SSL bundle, which also switches TLS on.
     */
    record Ssl(@Nullable String bundle) {}

    /**
     * The settings of ZooKeeper.
     *
     * @param connectString The servers: host:port,host:port, and a chroot if there is one. Without this property, a
     *     CuratorFramework bean applies.
     * @param sessionTimeout How long the servers keep the locks of a silent client. 30 s by default, and that of the
     *     CuratorFramework bean over one.
     */
    record ZooKeeper(
            @Nullable String connectString, @Nullable Duration sessionTimeout) {}

    /**
     * The meters of lock-micrometer.
     *
     * @param lockTag What the tag "lock" of the meters is.
     */
    record Metrics(@DefaultValue("kind") LockTag lockTag) {}

    /**
     * The observations of lock-micrometer.
     *
     * @param enabled Whether acquires that wait are observations, if there is an ObservationRegistry.
     */
    record Observations(@DefaultValue("true") boolean enabled) {}
}

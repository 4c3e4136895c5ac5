package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.JedisClientConfig;

/** Builds a {@link RedisQuorum}. Not thread-safe. */
@SuppressWarnings("exports") // annotations for tools, which users do not need
public final class RedisQuorumBuilder {
    private static final int FEWEST = 3;
    private static final int MOST = 7;
    private static final Duration SHORTEST_LONGEST_LEASE = Duration.ofSeconds(1);
    private static final Duration LONGEST_LONGEST_LEASE = Duration.ofHours(24);

    private final List<RedisBackendBuilder> servers;
    private Duration longestLease = Duration.ofMinutes(1);
    private boolean trustsRestarts;

    RedisQuorumBuilder(List<RedisBackendBuilder> servers) {
        int number = servers.size();
        if (number < FEWEST || number > MOST || number % 2 == 0) {
            throw new IllegalArgumentException("a quorum needs 3, 5 or 7 servers, but has " + number);
        }
        this.servers = List.copyOf(servers);
    }

    static RedisQuorumBuilder ofUris(List<String> uris) {
        List<RedisBackendBuilder> servers = new ArrayList<>();
        for (String uri : uris) {
            RedisBackendBuilder server = new RedisBackendBuilder(requireNonNull(uri, "uri"));
            if (!server.leadsToOneServer()) {
                throw new IllegalArgumentException(
                        "uris must lead to single servers, as redis://host:port or rediss://host:port");
            }
            servers.add(server);
        }
        if (servers.stream().map(RedisBackendBuilder::serverName).distinct().count() < servers.size()) {
            throw new IllegalArgumentException("uris must lead to different servers, but two are the same");
        }
        return new RedisQuorumBuilder(servers);
    }

    /**
     * Sets the longest lease, and the longest minimum hold, of all clients of these servers. Longer ones are refused
     * when a lock is made. After a server has lost its data, and after each restart, it gives no votes for that time.
     * All clients must have the same setting. To raise it, raise it in all clients first, and use longer leases
     * afterwards.
     *
     * @param lease at least 1 s and at most 24 h, rounded up to milliseconds; 1 min by default
     * @return this
     * @throws IllegalArgumentException if the lease is out of these bounds
     */
    @CanIgnoreReturnValue
    public RedisQuorumBuilder longestLease(Duration lease) {
        requireNonNull(lease, "lease");
        if (lease.compareTo(SHORTEST_LONGEST_LEASE) < 0 || lease.compareTo(LONGEST_LONGEST_LEASE) > 0) {
            throw new IllegalArgumentException("lease must be from 1 s to 24 h, but was " + lease);
        }
        longestLease = Duration.ofMillis(RedisContender.millis(lease));
        return this;
    }

    /**
     * Lets a server vote at once after a restart that has kept its data. Each server must have stored each write on its
     * disk before it answers: {@code appendonly yes}, {@code appendfsync always}, {@code no-appendfsync-on-rewrite no}.
     * With any other setting, a restart can lose the last votes and keep the rest, and two clients may then hold a
     * lock. The same applies to a server that was restored from a backup or from a copy of another server: delete its
     * key {@code distlock:{quorum}:since} first. By default, a server gives no votes for the longest lease after each
     * restart.
     *
     * @return this
     */
    @CanIgnoreReturnValue
    public RedisQuorumBuilder trustRestarts() {
        trustsRestarts = true;
        return this;
    }

    /**
     * Sets the beginning of the keys of all locks, as {@link RedisBackendBuilder#keyPrefix} does. The key that says
     * since when a server has had its data is {@code distlock:{quorum}:since} with every prefix.
     *
     * @param prefix {@code distlock:} by default
     * @return this
     * @throws IllegalArgumentException as there
     */
    @CanIgnoreReturnValue
    public RedisQuorumBuilder keyPrefix(String prefix) {
        servers.forEach(server -> server.keyPrefix(prefix));
        return this;
    }

    /**
     * Sets credentials, TLS, the name and the database of all connections, as {@link RedisBackendBuilder#clientConfig}
     * does. The URIs take precedence.
     *
     * @param config the settings
     * @return this
     */
    @CanIgnoreReturnValue
    public RedisQuorumBuilder clientConfig(JedisClientConfig config) {
        servers.forEach(server -> server.clientConfig(config));
        return this;
    }

    /**
     * Sets how many requests may be under way at once to each server; others wait. Each has a connection and a thread.
     * Renewals have up to four others for each server.
     *
     * @param most at least 1; 64 by default
     * @return this
     * @throws IllegalArgumentException if it is less
     */
    @CanIgnoreReturnValue
    public RedisQuorumBuilder maxConnections(int most) {
        servers.forEach(server -> server.maxConnections(most));
        return this;
    }

    /**
     * Sets for how long the servers keep the last fencing token of a name that nobody holds, as
     * {@link RedisBackendBuilder#keepTokensFor} does.
     *
     * @param time at least 1 s and at most 365 days; an hour by default
     * @return this
     * @throws IllegalArgumentException if the time is out of these bounds
     */
    @CanIgnoreReturnValue
    public RedisQuorumBuilder keepTokensFor(Duration time) {
        servers.forEach(server -> server.keepTokensFor(time));
        return this;
    }

    /**
     * Makes the backend. Sends nothing.
     *
     * @return a new backend
     */
    public RedisQuorum build() {
        RedisBackendBuilder any = servers.get(0);
        return new RedisQuorum(
                context -> servers.stream()
                        .map(server -> server.quorumServer(context))
                        .toList(),
                any.keysOfName(),
                longestLease,
                any.tokenKept(),
                !trustsRestarts);
    }
}

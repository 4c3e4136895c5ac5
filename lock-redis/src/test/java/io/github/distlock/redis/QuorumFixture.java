package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.RedisServers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/** A separate prefix of keys on servers that form a quorum of three. */
class QuorumFixture extends RedisFixture {
    static final int SERVERS = 3;

    /** The longest lease of all clients. So long a server that has lost its data does not vote. */
    static final Duration LONGEST_LEASE = Duration.ofSeconds(30);

    static final String SINCE = "distlock:{quorum}:since";

    /**
     * Uses servers that other fixtures of the same class share.
     *
     * @param running how many of the three run; the others are dead
     */
    QuorumFixture(int running) {
        super(() -> startVoting(running), new QuorumFactory());
    }

    /** Uses a part of running servers. */
    QuorumFixture(RedisServers servers, BackendFactory factory) {
        super(servers, () -> startVoting(servers.members().size()), factory);
    }

    /** Starts servers that store each write, and that vote at once. */
    static RedisServers startVoting(int count) {
        RedisServers servers = RedisServers.start(count, "appendonly yes", "appendfsync always");
        servers.members().forEach(QuorumFixture::letVote);
        return servers;
    }

    /** Lets a server vote at once, as if it had had its data for long. */
    static void letVote(RedisServer server) {
        asked(server, admin -> admin.set(SINCE, "1\t"));
    }

    @Override
    List<RedisServer> keepers() {
        return ((RedisServers) server()).members();
    }

    @Override
    protected Duration refusesAfterLoss() {
        return LONGEST_LEASE;
    }

    /** Returns the earliest end on any server that runs. */
    @Override
    protected OptionalLong endsHoldAt(String name) {
        String key = space() + ":" + name;
        return keepers().stream()
                .filter(RedisServer::isRunning)
                .mapToLong(server -> endsAt(server, key))
                .min();
    }

    @Override
    public void lose(String name) {
        String key = space() + ":" + name;
        keepers().forEach(server -> asked(server, admin -> admin.del(key)));
    }

    /** Creates backends over a quorum of three. Servers that are missing in the address are dead. */
    public static final class QuorumFactory implements BackendFactory {
        @Override
        public LockBackend backend(String address, String space) {
            return builder(address).keyPrefix(space + ":").build();
        }

        static RedisQuorumBuilder builder(String address) {
            List<String> uris = new ArrayList<>(Arrays.stream(address.split(",", -1))
                    .map(each -> "redis://" + each)
                    .toList());
            while (uris.size() < SERVERS) {
                uris.add("redis://127.0.0.1:" + uris.size());
            }
            return RedisQuorum.builder(uris).longestLease(LONGEST_LEASE).trustRestarts();
        }
    }
}

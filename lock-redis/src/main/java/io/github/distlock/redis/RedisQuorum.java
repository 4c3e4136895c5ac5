package io.github.distlock.redis;

import io.github.distlock.LockStatus;
import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keeps locks on a majority of several independent Redis servers, as the Redlock algorithm does. A lock survives the
 * loss of a minority of the servers, with or without their data.
 *
 * <pre>{@code
 * LockClient locks = LockClient.create(RedisQuorum.connect(
 *         List.of("redis://redis1.example.com", "redis://redis2.example.com", "redis://redis3.example.com")));
 * }</pre>
 *
 * <p>Each server is a primary without replicas, Redis 6.2 or newer. The servers must not share a machine or a power
 * supply. Their clocks must run at the same rate, and must not jump ahead. All clients must name the same servers, and
 * have the same settings.
 *
 * <p><b>What it provides.</b> Plain locks, with renewals, minimum holds, lock delays and fencing tokens. Waiters have
 * no order: they ask again after 50 to 100 ms. So fair locks, read-write locks and semaphores are refused when they are
 * made. An inspector shows the holder. It cannot release a lock by force, or request its release.
 *
 * <p><b>Leases are bounded</b> by {@link RedisQuorumBuilder#longestLease}. After a server has lost its data, and after
 * each restart, it gives no votes for that time. The same applies to new servers. So the first lock of a new quorum is
 * granted after that time.
 *
 * <p><b>Speed.</b> An acquire takes one round trip and a release one, each to all servers at once. The answers of the
 * fastest majority decide. An acquire takes a second round trip if the servers of the majority mint different bases.
 * That happens if the client has acquired no lock for a minute, and when a clock jumps ahead.
 *
 * <h2>The protocol</h2>
 *
 * An attempt is a ballot with a value of its own. {@code vote.lua} asks each server for its vote: the record in the
 * lock key, with the lease, and a base that the server mints and stores. When a majority has granted its votes and all
 * of them have minted the same base, the ballot is won. Otherwise {@code raise.lua} first stores the greatest of their
 * bases on a majority. A ballot that is not won is withdrawn from all servers. Its value is never used again, and a
 * server that may still receive a request with this value refuses it.
 *
 * <p>The clocks of servers differ. So the client proposes a base that is 100 ms ahead of all of them, by their answers
 * of the last minute. Each server mints the next greater one.
 *
 * <h2>Why holds do not overlap</h2>
 *
 * Suppose that the holds of two ballots overlap, and that <i>t</i> is the time at which the second one was won. Each of
 * them has proved its hold with the votes of a majority. So there is a server Z that is in both: it has given the
 * second vote before <i>t</i>, and the first hold relies on a vote of Z by a grant or a renewal. Z gives a vote only if
 * its lock key is absent. There are three reasons why the first record was absent:
 *
 * <ol>
 *   <li>Z has ended it at the holder's request. Then the holder did not hold the lock any more.
 *   <li>Its lease has expired on Z. The lease began when Z received the request, and the validity of the hold began
 *       before the request was sent. It is shorter by the allowance for clocks. So the hold had ended.
 *   <li>Z has lost it. Then Z had lost the key {@code since} as well, or was restarted. So the second vote came at
 *       least the longest lease later, and the first one's lease was over, as in the second case.
 * </ol>
 *
 * A renewal only extends records, and never writes one. A hold is renewed if a majority has extended it in the same
 * round, and the new validity begins before the first request of that round.
 *
 * <h2>Why tokens increase</h2>
 *
 * A server mints a base above the last one that it has stored, and not below its clock. A won ballot has the greatest
 * base of its majority, and a majority has stored it while it had the ballot's record. The majority of a later ballot
 * contains one of these servers, and that server voted after it had stored the base. So the later base is greater. The
 * server keeps the base until an hour after its own clock has passed it, whatever the clocks of the others say. If the
 * server has lost the base, it mints one above its clock, at least the longest lease later. That one is greater if the
 * clocks of the servers differ by less than the longest lease minus these 100 ms.
 *
 * <p>Thread-safe.
 */
public final class RedisQuorum implements LockBackend {
    /** What names all servers together: a hold belongs to no single one. */
    static final String SERVER = "quorum";

    private static final Duration LONGEST_CLOSE = Duration.ofMillis(250);

    private final RedisContext context = new RedisContext(clock(), server -> {});
    private final List<QuorumServer> servers;
    private final Function<String, LockKeys> keysOfName;
    private final Duration longestLease;
    private final Duration tokenKept;
    private final boolean restartsLoseData;

    RedisQuorum(
            Function<RedisContext, List<QuorumServer>> servers,
            Function<String, LockKeys> keysOfName,
            Duration longestLease,
            Duration tokenKept,
            boolean restartsLoseData) {
        this.servers = servers.apply(context);
        this.keysOfName = keysOfName;
        this.longestLease = longestLease;
        this.tokenKept = tokenKept;
        this.restartsLoseData = restartsLoseData;
    }

    /**
     * Makes a backend with its own connections, which it closes. Sends nothing yet.
     *
     * @param uris the addresses of 3, 5 or 7 servers, as {@code redis://[[user]:password@]host[:port][/database]};
     *     {@code rediss} connects with TLS
     * @return a new backend
     * @throws IllegalArgumentException if an address is malformed or leads to sentinels or a cluster, if two are the
     *     same, or if their number is not 3, 5 or 7; the message contains no address
     * @throws IllegalStateException if the Jedis on the class path is too old
     */
    public static RedisQuorum connect(List<String> uris) {
        return builder(uris).build();
    }

    /**
     * Returns a builder.
     *
     * @param uris as for {@link #connect}
     * @return a new builder
     * @throws IllegalArgumentException as for {@link #connect}
     * @throws IllegalStateException as for {@link #connect}
     */
    public static RedisQuorumBuilder builder(List<String> uris) {
        JedisVersion.require();
        return RedisQuorumBuilder.ofUris(uris);
    }

    /**
     * Returns a builder of a backend over another client library. The modules of this library call it.
     *
     * @param connections makes the connections to each server, once for each backend; each leads to another server
     * @return a new builder
     * @throws IllegalArgumentException if the number of servers is not 3, 5 or 7
     */
    @SuppressWarnings("exports") // to the modules of this library alone
    public static RedisQuorumBuilder builderOver(List<Function<ConnectionContext, Connections>> connections) {
        return new RedisQuorumBuilder(
                connections.stream().map(RedisBackendBuilder::new).toList());
    }

    @Override
    public Set<Capability> capabilities() {
        return Set.of(Capability.INSPECT, Capability.CHANGE_LEASE, Capability.LOCK_DELAY);
    }

    @Override
    public void start(BackendContext engine) {
        context.start(new BackendContext() {
            @Override
            public String clientName() {
                return engine.clientName();
            }

            @Override
            public Thread newThread(String role, Runnable task) {
                return engine.newThread(role, task);
            }

            @Override
            public void log(Runnable statement) {
                engine.log(statement);
            }

            @Override
            public void connectionLost(Object server) {
                engine.connectionLost(SERVER);
            }
        });
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new QuorumContender(this, request);
    }

    Ballot.Question question(LockRequest request, String owner) {
        return new Ballot.Question(
                keysOfName.apply(request.name()),
                owner,
                RedisContender.millis(request.lease().plus(request.lockDelay())),
                longestLease.toMillis(),
                restartsLoseData,
                servers,
                clock());
    }

    Duration tokenKept() {
        return tokenKept;
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        Moment askedAt = clock().now();
        List<QuorumRenewal> all = new ArrayList<>(due.size());
        for (Renewal renewal : due) {
            all.add(new QuorumRenewal(renewal, askedAt));
        }
        askAll(all, deadline);
        for (QuorumRenewal each : all) {
            each.await(deadline);
        }
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        List<QuorumRelease> all = new ArrayList<>(grants.size());
        for (Grant grant : grants) {
            all.add(new QuorumRelease((QuorumGrant) grant));
        }
        askAll(all, deadline);
        Map<Grant, Grant.Release> found = new HashMap<>();
        for (QuorumRelease each : all) {
            each.await(deadline);
            each.outcome().ifPresent(outcome -> found.put(each.grant, outcome));
        }
        return found;
    }

    /** A question about one hold, to all servers. */
    interface Question {
        /** Makes the request to a server. */
        ScriptCall call(Vote vote);

        /** Returns the votes of the hold, one for each server in their order. */
        List<Vote> votes();

        /** Takes the reply of a server, which may be an exception. */
        void answered(Vote vote, ScriptCall call, @Nullable Object reply);
    }

    /** Asks many questions in few exchanges with each server. */
    private void askAll(List<? extends Question> all, Deadline deadline) {
        for (List<Question> chunk : RedisBackend.<Question>chunks(all)) {
            for (int i = 0; i < servers.size(); i++) {
                int server = i;
                List<ScriptCall> calls = chunk.stream()
                        .map(each -> each.call(each.votes().get(server)))
                        .toList();
                var unused = servers.get(i)
                        .callAll(calls, deadline)
                        .whenComplete((replies, error) -> answered(chunk, server, calls, replies, error));
            }
        }
    }

    private static void answered(
            List<Question> asked,
            int server,
            List<ScriptCall> calls,
            @Nullable List<Object> replies,
            @Nullable Throwable error) {
        for (int i = 0; i < asked.size(); i++) {
            Question question = asked.get(i);
            question.answered(question.votes().get(server), calls.get(i), replies == null ? error : replies.get(i));
        }
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        return QuorumInspection.status(keysOfName.apply(name), servers, deadline);
    }

    @Override
    public Duration expiry(LockRequest request) {
        return request.lease().plus(request.lockDelay());
    }

    @Override
    public Duration maximumLease() {
        return longestLease;
    }

    @Override
    public void disconnect() {
        servers.forEach(QuorumServer::disconnect);
    }

    /** Waits up to 250 ms for what is under way to slow servers. Then ends connections and threads. */
    @Override
    public void close() {
        Deadline soon = Deadline.after(LONGEST_CLOSE, clock());
        servers.forEach(QuorumServer::endRequests);
        servers.forEach(server -> server.close(soon));
    }
}

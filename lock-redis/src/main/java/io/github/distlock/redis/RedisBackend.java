package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.UnifiedJedis;

/**
 * Keeps locks in Redis 6.2 or newer, or in Valkey, through Jedis 7.4 or newer. {@code LettuceRedis} of the artifact
 * {@code lock-redis-lettuce} makes such a backend over Lettuce.
 *
 * <pre>{@code
 * LockClient locks = LockClient.create(RedisBackend.connect("redis://localhost:6379"));
 * }</pre>
 *
 * <p><b>Keys.</b> A lock is the string key {@code distlock:<name>}, which expires with the holder's lease. Clients that
 * acquire the same key with {@code SET NX PX} and release it with compare-and-delete exclude the clients of this
 * backend, and are excluded by them. Such clients are not in the queue: a lock that goes from waiter to waiter is never
 * free for them, except as {@link RedisBackendBuilder#yieldToForeignClients} says. Helper keys begin with
 * {@code distlock:{distlock:<name>}}, and expire.
 *
 * <p><b>Guarantees.</b> Holds exclude each other and waiters acquire in order while the server keeps its data and its
 * clock does not jump ahead by more than the guard. Fencing tokens increase even if the server loses its data, as far
 * as the clocks of servers agree. A failover to a replica may lose the last grants. Then two clients may both believe
 * that they hold the lock, until the first one's next renewal; only the fencing token distinguishes them.
 *
 * <p><b>Permissions.</b> An ACL user needs the keys and channels {@code distlock:*}, or those that begin with
 * {@link RedisBackendBuilder#keyPrefix another prefix}, and the commands {@code EVAL EVALSHA APPEND DEL GET SET PTTL
 * PEXPIRE TIME ZADD ZREM ZRANGE ZRANGEBYSCORE ZREMRANGEBYSCORE ZREMRANGEBYRANK ZSCORE ZCOUNT ZCARD PUBLISH SUBSCRIBE
 * UNSUBSCRIBE PING}. For another database, it needs {@code SELECT}, with sentinels {@code ROLE}, and in a cluster
 * {@code ASKING CLUSTER|SLOTS CLUSTER|INFO}. Lists of names need {@code SCAN}, and grants that await replicas
 * {@code WAIT}. Without the channels, waiting clients poll.
 *
 * <p>Thread-safe.
 */
public final class RedisBackend implements LockBackend {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);

    private static final Pattern BASE = Pattern.compile("\\d{1,18}");

    static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(1);

    private static final Duration SHORTEST_CHECK = Duration.ofMillis(1);
    private static final Duration LONGEST_CHECK = Duration.ofHours(1);

    private static final Set<Capability> CAPABILITIES = Set.of(
            Capability.FAIR,
            Capability.INSPECT,
            Capability.LIST,
            Capability.FORCE_RELEASE,
            Capability.CHANGE_LEASE,
            Capability.READ_WRITE,
            Capability.PERMITS,
            Capability.STICKY,
            Capability.RELEASE_REQUESTS,
            Capability.LOCK_DELAY);

    /** How many requests are sent before their replies are read: the replies fit into the buffers of a connection. */
    static final int CHUNK = 512;

    /** For how long the client tries to withdraw ended contenders from a server that has taken the place of another. */
    private static final Duration AFTER_REPLACEMENT = Duration.ofSeconds(5);

    private final RedisContext context = new RedisContext(clock(), server -> replaced(server));
    private final Redis redis;
    private final Renewals renewals;
    private final Releases releases;
    private final Heartbeats heartbeats;
    private final Subscription messages;
    private final KnownKeys keys;
    private final Set<Capability> capabilities;
    private final String prefix;
    private final String channel;
    /** For how long the server keeps a token beyond the lease. */
    final Duration tokenKept;
    /** Whether a grant counts only after replicas have confirmed it. */
    final boolean awaitsReplicas;

    final ForeignTurns foreignTurns;
    /** The contenders that wait, by their values. */
    final Map<String, RedisContender> waiting = new ConcurrentHashMap<>();
    /** The contenders whose holds are or may become sticky, by their values. */
    final Map<String, RedisContender> sticky = new ConcurrentHashMap<>();

    final Warnings warnings;
    final Contention contention = new Contention();
    private final EndedContenders ended = new EndedContenders();
    final GrantedBases grantedBases = new GrantedBases();

    RedisBackend(
            Function<RedisContext, Redis> redis,
            @Nullable Function<String, String> mapping,
            String prefix,
            Duration tokenKept,
            boolean awaitsReplicas,
            ForeignTurns foreignTurns) {
        this.redis = redis.apply(context);
        ManyLocks many = new ManyLocks(this.redis);
        this.renewals = new Renewals(this, many);
        this.releases = new Releases(this, context, many);
        this.heartbeats = new Heartbeats(this, this.redis);
        Function<String, String> keyOfName = mapping != null ? mapping : name -> prefix + LockKeys.encode(name);
        this.keys = new KnownKeys(name -> LockKeys.of(name, keyOfName, prefix));
        this.capabilities = mapping == null ? CAPABILITIES : withoutList();
        this.prefix = prefix;
        this.tokenKept = tokenKept;
        this.awaitsReplicas = awaitsReplicas;
        this.foreignTurns = foreignTurns;
        this.channel = prefix + RandomId.next();
        this.messages = new Subscription(
                this.redis,
                channel,
                this::received,
                () -> waiting.values().forEach(contender -> contender.signals().wakeUp()),
                context);
        this.warnings = new Warnings(context);
    }

    /** Returns what is left if the keys are those of a mapping, from which no way leads back to names. */
    private static Set<Capability> withoutList() {
        return CAPABILITIES.stream()
                .filter(capability -> capability != Capability.LIST)
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * Makes a backend with its own connections, which it closes. Sends nothing yet.
     *
     * <pre>
     * redis://[[user]:password@]host[:port][/database]
     * redis+unix://[[user]:password@]/path[?database=number]
     * redis-sentinel://[[user]:password@]host[:port][,host[:port]]…/primary[?parameters]
     * redis-cluster://[[user]:password@]host[:port][,host[:port]]…
     * </pre>
     *
     * <p>With {@code rediss} in place of {@code redis}, all connections are made with TLS, which Unix sockets do not
     * have. User and password are those of the servers. <i>primary</i> is what the sentinels call the primary. The
     * parameters with sentinels are {@code database}, {@code sentinelUser} and {@code sentinelPassword}, which are
     * separated by {@code &}. Of a cluster, some nodes suffice.
     *
     * @param uri the address; special characters of user, password, path and the primary's name in percent code, and an
     *     IPv6 address in brackets
     * @return a new backend
     * @throws IllegalArgumentException if the URI is malformed or has a part that would have no effect; the message
     *     does not contain the URI
     * @throws IllegalStateException if the Jedis on the class path is too old
     */
    public static RedisBackend connect(String uri) {
        return builder(uri).build();
    }

    /**
     * Makes a backend over a caller-supplied client: standalone, Sentinel or Cluster, with its own credentials and TLS.
     * Sends nothing yet.
     *
     * <p>The backend neither changes nor closes the client. The client keeps its timeouts and its pool.
     *
     * <p>Over a {@link redis.clients.jedis.RedisClient}, and over a
     * {@link redis.clients.jedis.RedisSentinelClient} of Jedis 8, acquires and releases use connections of the client's
     * pool on the caller's thread. They wait for a free connection until their deadlines. The backend calls all other
     * clients on its own threads, while callers wait until their deadlines. If the backend is closed during such a
     * call, the call keeps its thread until the client returns.
     *
     * <p>From the first wait for a lock on, one connection of the client is subscribed. If the client's pool has fewer
     * than two connections, waiters poll instead, and the log warns once.
     *
     * @param client the client, which the caller closes after the backend
     * @return a new backend
     * @throws IllegalStateException if the Jedis on the class path is too old
     */
    public static RedisBackend of(UnifiedJedis client) {
        return builder(client).build();
    }

    /**
     * Returns a builder of a backend with its own connections.
     *
     * @param uri as for {@link #connect}
     * @return a new builder
     * @throws IllegalArgumentException as for {@link #connect}
     * @throws IllegalStateException as for {@link #connect}
     */
    public static RedisBackendBuilder builder(String uri) {
        requireNonNull(uri, "uri");
        JedisVersion.require();
        return new RedisBackendBuilder(uri);
    }

    /**
     * Returns a builder of a backend over a caller-supplied client.
     *
     * @param client as for {@link #of}
     * @return a new builder
     * @throws IllegalStateException as for {@link #of}
     */
    public static RedisBackendBuilder builder(UnifiedJedis client) {
        requireNonNull(client, "client");
        JedisVersion.require();
        return new RedisBackendBuilder(client);
    }

    /**
     * Returns a builder of a backend over another client library. The modules of this library call it, and
     * applications call the classes of these modules, such as {@code LettuceRedis}. Works without Jedis on the class
     * path.
     *
     * @param connections makes the connections, once for each backend
     * @return a new builder
     */
    @SuppressWarnings("exports") // to the modules of this library alone
    public static RedisBackendBuilder builder(Function<ConnectionContext, Connections> connections) {
        return new RedisBackendBuilder(requireNonNull(connections, "connections"));
    }

    @Override
    public Set<Capability> capabilities() {
        return capabilities;
    }

    @Override
    public void start(BackendContext engine) {
        context.start(engine);
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new RedisContender(this, request, signals);
    }

    @Override
    public void requireMayWait() {
        redis.requireMayWait();
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        renewals.renewAll(due, deadline);
    }

    static <T> List<List<T>> chunks(Collection<? extends T> all) {
        List<T> list = List.copyOf(all);
        List<List<T>> chunks = new ArrayList<>();
        for (int from = 0; from < list.size(); from += CHUNK) {
            chunks.add(list.subList(from, Math.min(list.size(), from + CHUNK)));
        }
        return chunks;
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return releases.releaseAll(grants.stream().map(RedisGrant.class::cast).toList(), deadline);
    }

    @Override
    public void heartbeat(Collection<? extends Contender> contenders, Deadline deadline) throws InterruptedException {
        long now = clock().nanoTime();
        boolean anyListens = false;
        List<RedisContender> due = new ArrayList<>();
        for (Contender each : contenders) {
            RedisContender contender = (RedisContender) each;
            anyListens |= sticky.containsKey(contender.value);
            if (waiting.containsKey(contender.value)) {
                anyListens = true;
                if (contender.needsHeartbeat(now)) {
                    due.add(contender);
                }
            }
        }
        if (!anyListens) {
            return;
        }
        messages.need();
        messages.ping();
        heartbeats.send(due, deadline);
    }

    @Override
    public Duration heartbeatInterval() {
        return HEARTBEAT_INTERVAL;
    }

    @Override
    public Duration expiry(LockRequest request) {
        Duration lease = request.lease().plus(request.lockDelay());
        return lease.compareTo(RedisContender.ALIVE_FOR) > 0 ? lease : RedisContender.ALIVE_FOR;
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        LockKeys keys = keysOf(name);
        List<List<?>> pages = new ArrayList<>();
        String from = "";
        String next = "0";
        while (!next.isEmpty() && !next.equals(from)) {
            from = next;
            List<?> page = call(new ScriptCall(Script.INSPECT, keys, from), deadline);
            pages.add(page);
            next = Inspection.next(page);
        }
        return Inspection.status(name, pages);
    }

    @Override
    public LockNames list(String prefixOfNames, Optional<String> position, Deadline deadline)
            throws InterruptedException {
        if (!capabilities.contains(Capability.LIST)) {
            throw new UnsupportedOperationException(
                    "locks cannot be listed: RedisBackendBuilder.keys(…) maps names to keys, and not back");
        }
        return new NameScan(this, redis, prefix, prefixOfNames, deadline).page(position);
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name, OptionalLong fencingBase, Deadline deadline)
            throws InterruptedException {
        String base = fencingBase.isPresent() ? Long.toString(fencingBase.getAsLong()) : "";
        return Inspection.holders(call(new ScriptCall(Script.FORCE_RELEASE, keysOf(name), base), deadline));
    }

    @Override
    public int requestRelease(String name, LockOwner requester, Deadline deadline) throws InterruptedException {
        return ReleaseRequests.send(this, name, requester, deadline);
    }

    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return ReleaseRequests.read(this, grants, deadline);
    }

    /**
     * Checks each server that keeps locks for what may cost locks: role, version, memory, persistence, replicas, clock,
     * the rights of the user, and the rules of proxies. In a deployment with sentinels this is the primary, and in a
     * cluster each primary.
     *
     * <p>The check needs a client: {@link io.github.distlock.LockClient#create} starts the backend. It asks all servers
     * at once, over connections of the backend or of the caller-supplied client. It tries each command that the backend
     * needs. The one key that it writes belongs to a random name that begins with {@code health-check-}, and the check
     * deletes it at once.
     *
     * <p>A command that a server refuses leads to a finding, and so does a server that does not answer. Without the
     * rights {@code +info}, {@code +config|get} and {@code +acl|whoami}, the findings say what could not be checked.
     *
     * @param timeout how long to wait for the servers: from 1 ms to 1 h; the call takes at most 250 ms more
     * @return what was found, the worst first; empty if all is well
     * @throws IllegalArgumentException if the timeout is out of these bounds
     * @throws IllegalStateException if no client has started this backend
     * @throws InterruptedException if the thread is interrupted while it waits for the servers
     */
    public List<HealthFinding> checkHealth(Duration timeout) throws InterruptedException {
        requireNonNull(timeout, "timeout");
        if (timeout.compareTo(SHORTEST_CHECK) < 0 || timeout.compareTo(LONGEST_CHECK) > 0) {
            throw new IllegalArgumentException("timeout must be from 1 ms to 1 h, but was " + timeout);
        }
        context.requireStarted();
        return new HealthCheck(this, redis, prefix, context, timeout).findings();
    }

    /** Closes the backend's own connections. A caller-supplied client keeps its connections. */
    @Override
    public void disconnect() {
        messages.disconnect();
        redis.disconnect();
    }

    /** Ends the backend's own connections and threads. A caller-supplied client stays open. */
    @Override
    public void close() {
        messages.close();
        redis.close();
    }

    // For its contenders

    List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        List<?> reply;
        try {
            reply = redis.call(call, deadline);
        } catch (ErrorReply e) {
            ScriptCall alone = call.alone(e);
            if (alone == null) {
                throw e;
            }
            reply = redis.call(alone, deadline);
        }
        followUp(call, deadline);
        return reply;
    }

    /** Sends many requests. As {@link #call} does, sends those again that name too many keys for the moment. */
    List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        List<Object> replies = new ArrayList<>(redis.callAll(calls, deadline));
        Map<Integer, ScriptCall> again = new LinkedHashMap<>();
        for (int i = 0; i < replies.size(); i++) {
            ScriptCall alone = calls.get(i).alone(replies.get(i));
            if (alone != null) {
                again.put(i, alone);
            }
        }
        if (!again.isEmpty()) {
            Iterator<Object> answers =
                    redis.callAll(List.copyOf(again.values()), deadline).iterator();
            again.keySet().forEach(i -> replies.set(i, answers.next()));
        }
        return replies;
    }

    /**
     * Publishes hints, and goes on if the script had to stop. The request has been answered, so neither a failure nor
     * an interrupt changes its outcome. If this fails, the next request of any contender goes on.
     */
    void followUp(ScriptCall call, Deadline deadline) {
        ScriptCall last = call;
        try {
            publish(last, deadline);
            while (last.isUnfinished() && !deadline.hasPassed()) {
                last = new ScriptCall(Script.SERVE, keysOf(call.lockName()));
                var unused = redis.call(last, deadline);
                publish(last, deadline);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            context.log(() -> LOG.debug("waiters of lock \"{}\" could not be notified", call.lockName(), e));
        }
    }

    private void publish(ScriptCall call, Deadline deadline) throws InterruptedException {
        if (!call.notices().isEmpty()) {
            redis.publish(call, deadline);
        }
    }

    boolean sendsAgain() {
        return redis.sendsAgain();
    }

    Object server(LockKeys keys) {
        return redis.server(keys);
    }

    LockKeys keysOf(String name) {
        return keys.of(name);
    }

    String channel() {
        return channel;
    }

    boolean hearsMessages() {
        messages.need();
        return messages.isActive();
    }

    /** Returns whether the backend keeps what has ended, because another server may take the place of its own. */
    boolean remembersEnds() {
        return redis.followsFailovers();
    }

    /** Returns the present subscription, which is another object after each interruption, or null. */
    @Nullable
    Object hearing() {
        return messages.active();
    }

    /** Notes that a server has answered the request that ends a contender. */
    void noteEnd(LockKeys keys, Supplier<ScriptCall> withdrawal) {
        ended.note(keys, withdrawal);
    }

    /** Withdraws what has ended from the server that has taken the place of another one, on a thread of its own. */
    private void replaced(Object server) {
        List<ScriptCall> calls = ended.withdrawals(keys -> redis.server(keys).equals(server));
        if (calls.isEmpty()) {
            return;
        }
        try {
            context.redisThreads().newThread(() -> withdraw(calls)).start();
        } catch (RuntimeException | Error e) {
            context.log(() -> LOG.warn("no thread withdraws what has ended", e));
        }
    }

    private void withdraw(List<ScriptCall> calls) {
        Deadline deadline = Deadline.after(AFTER_REPLACEMENT, clock());
        try {
            for (List<ScriptCall> chunk : RedisBackend.<ScriptCall>chunks(calls)) {
                var unused = redis.callAll(chunk, deadline);
                chunk.forEach(call -> followUp(call, deadline));
            }
        } catch (InterruptedException | RuntimeException e) {
            context.log(() -> LOG.debug("what has ended could not be withdrawn; leases end it", e));
        }
    }

    private void received(String message) {
        String[] words = message.split(" ", -1);
        if (words.length == 3
                && words[0].equals("granted")
                && BASE.matcher(words[2]).matches()) {
            RedisContender contender = waiting.get(words[1]);
            if (contender != null) {
                contender.announced(Long.parseLong(words[2]));
            }
        } else if (words.length == 2 && (words[0].equals("kept") || words[0].equals("near"))) {
            RedisContender contender = waiting.get(words[1]);
            if (contender != null) {
                contender.called();
            }
        } else if (words.length == 2 && words[0].equals("wanted")) {
            RedisContender holder = sticky.get(words[1]);
            if (holder != null) {
                holder.signals().wanted();
            }
        }
    }
}

package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import redis.clients.jedis.UnifiedJedis;

/**
 * Locks in Redis 5 or newer, through Jedis 7.4 or newer.
 *
 * <pre>{@code
 * LockClient locks = LockClient.create(RedisBackend.connect("redis://localhost:6379"));
 * }</pre>
 *
 * <p><b>A lock is a key</b>, {@code distlock:<name>} unless mapped otherwise, whose value is its holder's and which
 * expires with the holder's lease. So other clients that take the key with {@code SET NX PX} and give it back by
 * compare-and-delete, as Redis's documentation describes it, exclude this library's locks and are excluded by them.
 * They are not in its queue, though: a lock that goes from waiter to waiter is never free for them. Helper keys have
 * the lock key as their hash tag, and expire.
 *
 * <p><b>What holds</b>: exclusion and order while the server keeps its data and its clock does not jump ahead by more
 * than the guard; fencing tokens rise even over the loss of its data, as far as server clocks agree. A failover to a
 * replica can lose the last grants: then two clients may each believe to hold a lock, until the first one's next
 * renewal, and only the fencing token tells them apart.
 *
 * <p><b>Rights</b> that an ACL user needs: the keys, the channels {@code distlock:*}, and the commands {@code EVAL
 * EVALSHA GET SET DEL PTTL PEXPIRE TIME ZADD ZREM ZRANGE ZRANGEBYSCORE ZREMRANGEBYSCORE ZREMRANGEBYRANK ZSCORE ZCOUNT
 * PUBLISH SUBSCRIBE UNSUBSCRIBE PING}, and {@code SELECT} for another database. Without the channels, waiting clients
 * poll.
 *
 * <p>Thread-safe.
 */
public final class RedisBackend implements LockBackend {
    static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(1);

    private static final Set<Capability> CAPABILITIES =
            Set.of(Capability.FAIR, Capability.INSPECT, Capability.FORCE_RELEASE, Capability.CHANGE_LEASE);
    private static final int ID_BYTES = 12;

    private final String clientId;
    private final Redis redis;
    private final Subscription messages;
    private final Function<String, String> keyOfName;
    private final AtomicLong contenders = new AtomicLong();
    private final AtomicInteger threads = new AtomicInteger();
    private final AtomicLong greatestBase = new AtomicLong();
    private final Map<String, RedisContender> waiting = new ConcurrentHashMap<>();
    private final ForeignKeys foreignKeys = new ForeignKeys();
    private volatile String clientName = "redis";

    RedisBackend(Function<ThreadFactory, Redis> redis, Function<String, String> keyOfName) {
        byte[] id = new byte[ID_BYTES];
        new SecureRandom().nextBytes(id);
        this.clientId = Base64.getUrlEncoder().withoutPadding().encodeToString(id);
        this.redis = redis.apply(task -> newThread(task, "redis" + threads.incrementAndGet()));
        this.keyOfName = keyOfName;
        this.messages = new Subscription(
                this.redis,
                "distlock:" + clientId,
                this::received,
                () -> waiting.values().forEach(contender -> contender.signals().wakeUp()),
                task -> newThread(task, "subscription"),
                clock());
    }

    private Thread newThread(Runnable task, String role) {
        Thread thread = new Thread(task, "distlock-" + clientName + "-" + role);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * A backend with connections of its own, which it closes. Sends nothing yet.
     *
     * @param uri {@code redis://[user:password@]host[:port][/database]}, or {@code rediss://…} with TLS
     * @return a new backend
     * @throws IllegalArgumentException when that is no such URI
     * @throws IllegalStateException when the Jedis on the class path is too old
     */
    public static RedisBackend connect(String uri) {
        return builder(uri).build();
    }

    /**
     * A backend over a client that the caller has made and will close: standalone, Sentinel, Cluster, with whatever
     * credentials and TLS it has. It is left as it was. Its time-outs and its pool are its own: each request of the
     * backend is made on a thread of the backend, while callers wait by their deadlines; a call that is under way when
     * the backend is closed keeps its thread until the client gives up. From the first wait for a lock on, one of its
     * connections is subscribed. Sends nothing yet.
     *
     * @param client the caller's
     * @return a new backend
     * @throws IllegalStateException when the Jedis on the class path is too old
     */
    public static RedisBackend of(UnifiedJedis client) {
        return builder(client).build();
    }

    /**
     * A backend with connections of its own, to be configured.
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
     * A backend over a caller's client, to be configured.
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

    @Override
    public Set<Capability> capabilities() {
        return CAPABILITIES;
    }

    @Override
    public void start(String name) {
        clientName = name;
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        String value = clientId + ":" + Long.toString(contenders.incrementAndGet(), Character.MAX_RADIX);
        return new RedisContender(this, value, request, signals);
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        List<Renewal> renewals = new ArrayList<>(due.size());
        List<ScriptCall> calls = new ArrayList<>(due.size());
        for (Renewal renewal : due) {
            renewals.add(renewal);
            calls.add(((RedisGrant) renewal.grant()).renewal(renewal.lease()));
        }
        Moment askedAt = clock().now();
        List<Object> replies = callAll(calls, deadline);
        for (int i = 0; i < replies.size(); i++) {
            answer(renewals.get(i), replies.get(i), askedAt);
        }
    }

    private static void answer(Renewal renewal, Object reply, Moment askedAt) {
        if (reply instanceof Throwable error) {
            renewal.unknown(error);
        } else if (Replies.number(reply) == 0) {
            renewal.gone();
        } else {
            renewal.renewed(Validity.of(askedAt, renewal.lease()));
            if (Replies.number(reply) == 2) {
                ((RedisGrant) renewal.grant()).contender.signals().wanted();
            }
        }
    }

    @Override
    public void heartbeat(Collection<? extends Contender> places, Deadline deadline) throws InterruptedException {
        List<RedisContender> asked = new ArrayList<>(places.size());
        List<ScriptCall> calls = new ArrayList<>(places.size());
        for (Contender place : places) {
            RedisContender contender = (RedisContender) place;
            if (waiting.containsKey(contender.value)) {
                asked.add(contender);
                calls.add(contender.heartbeat());
            }
        }
        if (!calls.isEmpty()) {
            messages.need();
            messages.ping();
            Moment askedAt = clock().now();
            List<Object> replies = callAll(calls, deadline);
            for (int i = 0; i < replies.size(); i++) {
                asked.get(i).heard(askedAt, replies.get(i));
            }
        }
    }

    private List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        return calls.isEmpty() ? List.of() : redis.callAll(calls, deadline);
    }

    @Override
    public Duration heartbeatInterval() {
        return HEARTBEAT_INTERVAL;
    }

    @Override
    public Duration expiry(LockRequest request) {
        Duration lease = request.lease();
        return lease.compareTo(RedisContender.ALIVE_FOR) > 0 ? lease : RedisContender.ALIVE_FOR;
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        return Inspection.status(name, ask(Script.INSPECT, name, deadline));
    }

    @Override
    public Optional<LockStatus.Holder> forceRelease(String name, Deadline deadline) throws InterruptedException {
        return Inspection.removed(ask(Script.FORCE_RELEASE, name, deadline));
    }

    private Object ask(Script script, String name, Deadline deadline) throws InterruptedException {
        return redis.call(new ScriptCall(script, keysOf(name)), deadline);
    }

    /** Ends its own connections and threads; a caller-supplied client stays open. */
    @Override
    public void close() {
        messages.close();
        redis.close();
    }

    // ---- for its contenders --------------------------------------------------------------------------------------

    Object call(ScriptCall call, Deadline deadline) throws InterruptedException {
        return redis.call(call, deadline);
    }

    boolean sendsAgain() {
        return redis.sendsAgain();
    }

    LockKeys keysOf(String name) {
        return LockKeys.of(name, keyOfName);
    }

    long floor() {
        return greatestBase.get();
    }

    void noteBase(long base) {
        greatestBase.accumulateAndGet(base, Math::max);
    }

    void startWaiting(RedisContender contender) {
        waiting.put(contender.value, contender);
    }

    void stopWaiting(RedisContender contender) {
        waiting.remove(contender.value);
    }

    boolean hearsMessages() {
        messages.need();
        return messages.isActive();
    }

    private void received(String message) {
        String[] words = message.split(" ", -1);
        if (words.length == 3 && words[0].equals("granted") && words[2].matches("\\d{1,18}")) {
            RedisContender contender = waiting.get(words[1]);
            if (contender != null) {
                contender.announced(Long.parseLong(words[2]));
            }
        }
    }

    void warnOfForeignKey(LockKeys keys, long ttlMillis) {
        foreignKeys.found(keys, ttlMillis);
    }
}

package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Connection;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisSentinelClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.exceptions.JedisNoScriptException;
import redis.clients.jedis.providers.ConnectionProvider;
import redis.clients.jedis.util.Pool;

/**
 * The pool of a caller-supplied client. Each request borrows a connection, and uses it on the caller's thread until the
 * deadline. The client takes no part in the exchange, so it cannot repeat the request.
 *
 * <p><b>Borrowing.</b> A pool that has an idle connection gives it at once. One with as many connections as it may have
 * lets the caller wait, until the deadline. In all other cases, the pool connects or asks the server, which only the
 * client's own timeouts bound. So another thread borrows then, while the caller waits until the deadline. The state of
 * the pool may change between the look at it and the borrowing. If another user of the pool has just taken the last
 * idle connection, the pool connects on the caller's thread. Only then does a request last for as long as the client's
 * timeouts allow.
 *
 * <p><b>Returning.</b> A connection returns to the pool with the timeout that it had, and only after the whole reply
 * was read. Otherwise the pool drops it, so that its next user never reads a late reply. A pool that drops a connection
 * may make another one on the thread that returns it. So another thread returns a connection that is to be dropped, or
 * that the pool tests.
 *
 * <p><b>Idle connections.</b> Only its use shows that a connection has been closed. A request that fails on a
 * connection from the pool, other than by silence, is sent again and notes that, as on the backend's own connections:
 * at most once for each connection that was idle when the request began.
 */
final class SuppliedPool {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);

    /** Since Jedis 8. */
    private static final String POOLS_OF_SENTINELS = "getPrimaryNodesConnectionMap";

    /** What the kinds of clients call their pools. Each version of Jedis has other kinds. */
    private static final List<String> POOLS = List.of("getPool", POOLS_OF_SENTINELS, "getClusterNodes");

    private final Supplier<Pool<Connection>> present;
    private final BackgroundCalls background;
    private final Script.Settings settings;
    private final RedisContext context;
    private final Runnable lost;
    private final LateExchanges late;

    /**
     * Makes the pool of a client.
     *
     * @param present finds the client's pool, which may change
     * @param background threads that borrow and return where that may last
     * @param lost called when a connection with a request under way has broken
     */
    SuppliedPool(
            Supplier<Pool<Connection>> present,
            BackgroundCalls background,
            Script.Settings settings,
            RedisContext context,
            Runnable lost) {
        this.present = present;
        this.background = background;
        this.settings = settings;
        this.context = context;
        this.lost = lost;
        this.late = new LateExchanges(context);
    }

    /** Returns what finds the one pool of a client, or null if the client has several or shows none. */
    static @Nullable Supplier<Pool<Connection>> visible(UnifiedJedis client) {
        try {
            if (client instanceof RedisClient single) {
                Pool<Connection> pool = single.getPool();
                return () -> pool;
            }
            if (client instanceof RedisSentinelClient) {
                Method pools = RedisSentinelClient.class.getMethod(POOLS_OF_SENTINELS);
                Supplier<Pool<Connection>> present = () -> only(pools, client);
                var unused = present.get();
                return present;
            }
        } catch (ClassCastException | IllegalStateException | NoSuchMethodException e) {
            // The client has a provider of connections that is not Jedis's own, or it is one of Jedis 7.
        }
        return null;
    }

    @SuppressWarnings("unchecked")
    private static Pool<Connection> only(Method pools, UnifiedJedis client) {
        try {
            Map<?, ?> all = (Map<?, ?>) pools.invoke(client);
            return (Pool<Connection>) all.values().iterator().next();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the client does not show its pool", e);
        }
    }

    /** Returns the present pools of all servers of a client, or an empty list if the client shows none. */
    static List<Pool<Connection>> all(UnifiedJedis client) {
        for (String pools : POOLS) {
            try {
                Object found = client.getClass().getMethod(pools).invoke(client);
                return pools(found instanceof Map<?, ?> byServer ? byServer.values() : List.of(found));
            } catch (ReflectiveOperationException | ClassCastException e) {
                // It is another kind of client, or has a provider of connections that is not Jedis's own.
            }
        }
        return List.of();
    }

    /**
     * Returns what lends a connection to any server of the client, or null. The connection goes back to its pool when
     * it is closed. Jedis itself takes it from a field that only subclasses see. Clients that show their pools do not
     * need that field.
     */
    static @Nullable Supplier<Connection> lender(UnifiedJedis client) {
        try {
            Field provider = UnifiedJedis.class.getDeclaredField("provider");
            provider.setAccessible(true);
            return ((ConnectionProvider) provider.get(client))::getConnection;
        } catch (ReflectiveOperationException | RuntimeException e) {
            return all(client).isEmpty() ? null : () -> any(client).getResource();
        }
    }

    /** Returns any pool, so that a server that has failed is not asked again and again. */
    private static Pool<Connection> any(UnifiedJedis client) {
        List<Pool<Connection>> pools = all(client);
        if (pools.isEmpty()) {
            throw new JedisConnectionException("the caller-supplied client knows no server");
        }
        return pools.get(ThreadLocalRandom.current().nextInt(pools.size()));
    }

    @SuppressWarnings("unchecked")
    private static List<Pool<Connection>> pools(Collection<?> found) {
        return found.stream().map(pool -> (Pool<Connection>) pool).toList();
    }

    /** Does what {@link Redis#call} does. Exceptions are those of Jedis. */
    List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        for (int stale = present.get().getNumIdle(); ; stale--) {
            background.requireOpen();
            Pool<Connection> pool = present.get();
            boolean isReady = isReady(pool);
            Connection connection = isReady
                    ? borrow(pool, deadline)
                    : background.await(() -> borrow(pool, deadline), unused -> returnTo(pool, unused), deadline);
            try {
                return exchange(pool, connection, call, deadline);
            } catch (JedisConnectionException e) {
                if (!isReady || stale <= 0 || deadline.hasPassed() || !call.isRepeatable()) {
                    throw e;
                }
                if (JedisCalls.isBrokenConnection(e)) {
                    lost.run();
                }
                call.noteSentAgain();
            }
        }
    }

    /** Returns whether the pool gives a connection, or lets the caller wait for one, without asking the server. */
    private static boolean isReady(Pool<Connection> pool) {
        int most = pool.getMaxTotal();
        return !pool.getTestOnBorrow() && (pool.getNumIdle() > 0 || (most >= 0 && pool.getNumActive() >= most));
    }

    private static Connection borrow(Pool<Connection> pool, Deadline deadline) throws InterruptedException {
        try {
            return pool.borrowObject(Duration.ofMillis(deadline.remainingMillis()));
        } catch (InterruptedException | JedisException e) {
            throw e;
        } catch (NoSuchElementException e) {
            throw new JedisException(
                    "no connection in the pool of the caller-supplied client was free in time; it has at most "
                            + pool.getMaxTotal(),
                    e);
        } catch (Exception e) {
            throw new JedisException("the pool of the caller-supplied client: " + e.getMessage(), e);
        }
    }

    private List<?> exchange(Pool<Connection> pool, Connection borrowed, ScriptCall call, Deadline deadline)
            throws InterruptedException {
        BorrowedConnection connection = new BorrowedConnection(borrowed, late);
        boolean complete = false;
        late.add(connection);
        try {
            List<?> answer = JedisCalls.answer(call, reply(connection, call, deadline));
            complete = true;
            return answer;
        } catch (JedisDataException e) {
            complete = !JedisCalls.isOfAnotherServer(e);
            throw e;
        } finally {
            late.remove(connection);
            giveBack(pool, connection, complete);
        }
    }

    private Object reply(BorrowedConnection connection, ScriptCall call, Deadline deadline)
            throws InterruptedException {
        try {
            return connection.reply(JedisCalls.byDigest(call, settings), deadline);
        } catch (JedisNoScriptException e) {
            return connection.reply(JedisCalls.bySource(call, settings), deadline);
        }
    }

    private void giveBack(Pool<Connection> pool, BorrowedConnection connection, boolean complete) {
        if (!complete || !connection.restore()) {
            connection.reset();
            background.giveBack(() -> quietly(() -> pool.returnBrokenResource(connection.jedis)));
        } else if (pool.getTestOnReturn()) {
            background.giveBack(() -> returnTo(pool, connection.jedis));
        } else {
            returnTo(pool, connection.jedis);
        }
    }

    private void returnTo(Pool<Connection> pool, Connection connection) {
        quietly(() -> pool.returnResource(connection));
    }

    /** Returns a connection. The request has ended, so a failure of the pool does not change its outcome. */
    private void quietly(Runnable returning) {
        try {
            returning.run();
        } catch (RuntimeException e) {
            context.log(() -> LOG.debug("the pool of the caller-supplied client has not taken a connection back", e));
        }
    }

    /** Ends the thread that watches exchanges, as soon as none is under way. */
    void close() {
        late.close();
    }
}

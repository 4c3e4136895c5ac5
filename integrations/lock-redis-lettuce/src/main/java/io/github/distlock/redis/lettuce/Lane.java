package io.github.distlock.redis.lettuce;

import io.github.distlock.redis.connection.ConnectionContext;
import io.github.distlock.spi.Deadline;
import io.lettuce.core.RedisConnectionException;
import io.lettuce.core.api.StatefulRedisConnection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The requests of one purpose to one server: one {@link Link} at a time, which is opened when it is needed. Callers
 * that find none wait together for one attempt to open it.
 *
 * <p>A thread replaces {@link #latest} by compare-and-set, and then begins the new attempt. The old attempt has failed,
 * or its link has ended, or this thread gives it up.
 */
final class Lane {
    private final Dialer dialer;
    private final ConnectionContext context;
    private final Runnable lost;
    private final AtomicReference<@Nullable Opening<StatefulRedisConnection<byte[], byte[]>, Link>> latest =
            new AtomicReference<>();
    private volatile @Nullable String closedBecause;

    /**
     * Opens nothing yet.
     *
     * @param lost runs when a connection has broken with a request under way
     */
    Lane(Dialer dialer, ConnectionContext context, Runnable lost) {
        this.dialer = dialer;
        this.context = context;
        this.lost = lost;
    }

    /** Sends commands one after the other, as {@link Link#exchange} does. */
    List<Object> exchange(List<Link.Words> commands, Deadline deadline) throws InterruptedException {
        Link link = link(deadline);
        if (deadline.hasPassed()) {
            // A request that is not sent yet must not be sent: it would arrive after its cleanup.
            throw new RedisConnectionException("not sent in time");
        }
        return link.exchange(commands, deadline);
    }

    private Link link(Deadline deadline) throws InterruptedException {
        Link link = opening().await(deadline);
        if (!link.isUsable() || !link.isAlive(deadline)) {
            link = opening().await(deadline);
        }
        return link;
    }

    private Opening<StatefulRedisConnection<byte[], byte[]>, Link> opening() {
        while (true) {
            Opening<StatefulRedisConnection<byte[], byte[]>, Link> known = latest.get();
            if (known != null && isOf(known)) {
                return known;
            }
            Opening<StatefulRedisConnection<byte[], byte[]>, Link> next =
                    new Opening<>(connection -> new Link(connection, context.clock(), lost), context.clock());
            if (latest.compareAndSet(known, next)) {
                if (known != null) {
                    known.giveUp("not connected in time", next);
                }
                begin(next);
                return next;
            }
        }
    }

    /** Returns whether an attempt is under way, or has led to a link that can be used. */
    private static boolean isOf(Opening<StatefulRedisConnection<byte[], byte[]>, Link> known) {
        Link link = known.result();
        return link != null ? link.isUsable() : !known.isVain();
    }

    private void begin(Opening<StatefulRedisConnection<byte[], byte[]>, Link> next) {
        if (closedBecause == null && next.result() == null) {
            try {
                dialer.dial(next);
            } catch (RuntimeException | Error e) {
                next.failed(e);
            }
        }
        String why = closedBecause;
        if (why != null) {
            end(next, why);
        }
    }

    private static void end(Opening<StatefulRedisConnection<byte[], byte[]>, Link> opening, String why) {
        opening.giveUp(why);
        Link link = opening.result();
        if (link != null) {
            link.end();
        }
    }

    /** Closes the connection if it leads to one of some addresses. Returns whether it does. Does not block. */
    boolean leave(Set<String> addresses) {
        Opening<StatefulRedisConnection<byte[], byte[]>, Link> known = latest.get();
        if (known == null || !addresses.contains(known.address()) || !latest.compareAndSet(known, null)) {
            return false;
        }
        end(known, "the sentinels have named another primary");
        return true;
    }

    /** Closes the connection, and waits for that. The next request opens another one. */
    void disconnect(Deadline soon) {
        Opening<StatefulRedisConnection<byte[], byte[]>, Link> known = latest.getAndSet(null);
        if (known != null) {
            end(known, "disconnected");
            awaitClosed(known, soon);
        }
    }

    /** Returns whether there is a connection, on which the server has not been silent for too long. */
    boolean isConnected() {
        Opening<StatefulRedisConnection<byte[], byte[]>, Link> known = latest.get();
        Link link = known == null ? null : known.result();
        return link != null && link.isUsable();
    }

    /** Closes the connection, so that requests under way fail now, and later ones fail at once. */
    void close(String why) {
        closedBecause = why;
        Opening<StatefulRedisConnection<byte[], byte[]>, Link> known = latest.get();
        if (known != null) {
            end(known, why);
        }
    }

    /** Waits for the end of a connection that is being closed. */
    void awaitClosed(Deadline soon) {
        Opening<StatefulRedisConnection<byte[], byte[]>, Link> known = latest.get();
        if (known != null) {
            awaitClosed(known, soon);
        }
    }

    private static void awaitClosed(Opening<StatefulRedisConnection<byte[], byte[]>, Link> known, Deadline soon) {
        Link link = known.result();
        if (link != null) {
            link.awaitClosed(soon);
        }
    }
}

package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ConnectStringParser;
import org.apache.zookeeper.client.ZKClientConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Learns the servers' {@code tickTime}, in the background, from the shortest and the longest session that they grant.
 *
 * <h2>What counts</h2>
 *
 * Unless configured otherwise, a server grants sessions from 2 to 20 ticks. So it counts only if the longest is exactly
 * ten times the shortest. Configured limits in this ratio tell a wrong tick, which no client can notice.
 *
 * <p>The leader's tick counts, because the leader pings and expires sessions. The client cannot know which server
 * leads. So this class asks each server of the connect string, and takes the greatest tick. If the limits of one server
 * tell nothing, the tick stays unknown. A server that does not answer is asked again after a while. Until then, it
 * counts as having the tick of the others.
 *
 * <h2>Cost</h2>
 *
 * Two sessions per server, one after the other. Each ends at once. No request waits for this.
 */
final class TickProbe implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperBackend.class);
    private static final Duration SHORTEST = Duration.ofMillis(700);
    private static final Duration LONGEST = Duration.ofDays(1);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final Duration PAUSE = Duration.ofSeconds(30);
    private static final int RATIO = 10;
    private static final int FEW_TICKS = 5;

    private final String connectString;
    private final Session session;
    private final ServerTick tick;
    private final BackendContext context;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private boolean warned;

    private TickProbe(String connectString, Session session, ServerTick tick, BackendContext context) {
        this.connectString = connectString;
        this.session = session;
        this.tick = tick;
        this.context = context;
    }

    /**
     * Learns the tick on another thread, unless the application has set it. Warns once if the session has few ticks.
     */
    static TickProbe start(String connectString, Session session, ServerTick tick, BackendContext context) {
        TickProbe probe = new TickProbe(connectString, session, tick, context);
        if (tick.isSet()) {
            probe.warnOfFewTicks();
        } else {
            BackendThreads.start(context, "tick", probe);
        }
        return probe;
    }

    /** Ends the thread soon: when the server has answered, or after the request timeout of ZooKeeper's client. */
    void stop() {
        stopped.countDown();
    }

    @Override
    public void run() {
        try {
            learn();
        } catch (InterruptedException e) {
            // Nothing of this client interrupts the thread. Without it, the tick stays unknown, which is safe.
        }
    }

    private void learn() throws InterruptedException {
        Map<String, Optional<Duration>> known = new HashMap<>();
        Map<String, String> servers = servers();
        do {
            for (Map.Entry<String, String> server : servers.entrySet()) {
                if (!known.containsKey(server.getKey()) && stopped.getCount() > 0) {
                    ask(server.getValue()).ifPresent(limits -> known.put(server.getKey(), limits.tick()));
                }
            }
            if (!known.isEmpty() && stopped.getCount() > 0) {
                tick.learned(greatest(known));
                warnOfFewTicks();
            }
        } while (known.size() < servers.size() && !stopped.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS));
    }

    /** Returns the connect string of each server, with the chroot. */
    private Map<String, String> servers() {
        ConnectStringParser parser = new ConnectStringParser(connectString);
        String chroot = parser.getChrootPath() == null ? "" : parser.getChrootPath();
        Map<String, String> servers = new LinkedHashMap<>();
        parser.getServerAddresses().forEach(server -> {
            String host = server.getHostString();
            String address = (host.contains(":") ? "[" + host + "]" : host) + ":" + server.getPort();
            servers.put(address, address + chroot);
        });
        return servers;
    }

    private static @Nullable Duration greatest(Map<String, Optional<Duration>> known) {
        Duration greatest = null;
        for (Optional<Duration> tick : known.values()) {
            if (tick.isEmpty()) {
                return null;
            }
            if (greatest == null || tick.get().compareTo(greatest) > 0) {
                greatest = tick.get();
            }
        }
        return greatest;
    }

    /** The shortest and the longest session timeout of a server. */
    private record Limits(Duration shortest, Duration longest) {
        Optional<Duration> tick() {
            boolean tellsTick = shortest.compareTo(SHORTEST) > 0
                    && longest.compareTo(LONGEST) < 0
                    && longest.equals(shortest.multipliedBy(RATIO));
            return tellsTick ? Optional.of(shortest.dividedBy(2)) : Optional.empty();
        }
    }

    private Optional<Limits> ask(String server) throws InterruptedException {
        Optional<Duration> shortest = granted(server, SHORTEST);
        if (shortest.isEmpty() || stopped.getCount() == 0) {
            return Optional.empty();
        }
        return granted(server, LONGEST).map(longest -> new Limits(shortest.get(), longest));
    }

    /** Returns the session timeout that a server grants, or empty if it does not answer. */
    private Optional<Duration> granted(String server, Duration asked) throws InterruptedException {
        ZKClientConfig config = session.config();
        CountDownLatch connected = new CountDownLatch(1);
        try (ZooKeeper handle = new ZooKeeper(
                server,
                (int) asked.toMillis(),
                event -> {
                    if (event.getState() == KeeperState.SyncConnected) {
                        connected.countDown();
                    }
                },
                config)) {
            if (connected.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                return Optional.of(Duration.ofMillis(handle.getSessionTimeout()));
            }
        } catch (IOException | RuntimeException e) {
            context.log(() -> LOG.debug("could not ask a server for its limits on session timeouts", e));
        }
        return Optional.empty();
    }

    private void warnOfFewTicks() {
        Duration timeout = session.timeout();
        Duration assumed = tick.within(timeout);
        if (warned || timeout.compareTo(assumed.multipliedBy(FEW_TICKS)) >= 0) {
            return;
        }
        warned = true;
        boolean known = tick.isKnown();
        context.log(() -> LOG.warn(
                "holds survive only a short silence of the servers: the session timeout is {}, and the servers'"
                        + " tickTime {}",
                timeout,
                known
                        ? "is " + assumed + "; ask for a session timeout of at least five ticks"
                        : "is unknown, so it counts as " + assumed + "; set it with tick(...)"));
    }
}

package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A TCP proxy on the loopback interface that injects faults between clients and one server. Thread-safe.
 *
 * <p>If the server has several {@linkplain Server#members() members}, the proxy has an address for each of them. Each
 * fault concerns all addresses. A fault that strikes once strikes on one of them.
 *
 * <p>The proxy does not parse the protocol. A <em>request</em> is what one read from a client returns, up to 64 KiB. A
 * <em>reply</em> is what the server sends next on that connection. This is exact for a client that waits for each reply
 * and whose requests and replies are short. Requests that a client sends without waiting may count as one.
 *
 * <p>A lasting fault applies to all present and new connections until {@link #heal()}, and to all data that the proxy
 * reads after the call has returned. The {@code drop…} and {@code delay…} methods that return a {@link Fault} arm a
 * fault that strikes once. These faults strike in the order of the calls. {@link #heal()} cancels those that have not
 * struck.
 *
 * <p>No receiver sees a stream with a gap: after the proxy has dropped data, it forwards nothing more in that
 * direction, and {@link #heal()} cuts that connection.
 */
public final class FaultProxy implements AutoCloseable {

    /** What the proxy does with a connection after it has dropped a request or reply. */
    public enum Then {
        /** Keeps the connection open and forwards nothing more in either direction; {@link #heal()} cuts it. */
        SILENCE,
        /** Closes the connection on both sides. */
        CUT
    }

    private static final int TRIES = 10;
    private static final Duration SETTLING = Duration.ofMillis(200);

    private final List<Entrance> entrances;
    private final Set<ProxyConnection> connections = ConcurrentHashMap.newKeySet();
    private final List<OneShot> oneShots = new CopyOnWriteArrayList<>();
    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong replies = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private volatile boolean closed;

    private volatile boolean requestsSilent;
    private volatile boolean repliesSilent;
    private volatile boolean sliced;
    private volatile Duration replyDelay = Duration.ZERO;

    private FaultProxy(List<Entrance> entrances) {
        this.entrances = entrances;
    }

    /**
     * Starts a proxy that forwards everything until a fault is set.
     *
     * @param server the server that the proxy connects to
     * @return a proxy that accepts connections, with an address for each member of the server
     */
    public static FaultProxy to(Server server) {
        return to(() -> server.members().stream()
                .map(member -> new Entrance(member.host(), member.port()))
                .toList());
    }

    /**
     * Starts a proxy that forwards everything until a fault is set.
     *
     * @param host the server's host
     * @param port the server's port
     * @return a proxy that accepts connections
     * @throws IllegalArgumentException if the port is not between 1 and 65535
     */
    public static FaultProxy to(String host, int port) {
        Objects.requireNonNull(host, "host");
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException("port is not between 1 and 65535: " + port);
        }
        return to(() -> List.of(new Entrance(host, port)));
    }

    private static FaultProxy to(Supplier<List<Entrance>> entrances) {
        for (int left = TRIES; ; left--) {
            FaultProxy proxy = new FaultProxy(entrances.get());
            try {
                proxy.listen();
                return proxy;
            } catch (UncheckedIOException e) {
                proxy.close();
                if (left == 0) {
                    throw e;
                }
            }
        }
    }

    /**
     * Returns a predicate that matches requests and messages that contain this text in UTF-8.
     *
     * @param text for example a key, or the name of a command
     * @return the predicate
     */
    public static Predicate<byte[]> containing(String text) {
        byte[] wanted = Objects.requireNonNull(text, "text").getBytes(StandardCharsets.UTF_8);
        return chunk -> {
            for (int i = 0; i <= chunk.length - wanted.length; i++) {
                if (Arrays.equals(chunk, i, i + wanted.length, wanted, 0, wanted.length)) {
                    return true;
                }
            }
            return false;
        };
    }

    /** {@return the first address at which clients connect, without the port} */
    public String host() {
        return entrances.get(0).host();
    }

    /** {@return the port of the first address at which clients connect; it never changes} */
    public int port() {
        return entrances.get(0).port();
    }

    /** {@return the addresses at which clients connect, each as {@code host:port}, separated by commas} */
    public String address() {
        return entrances.stream().map(Entrance::address).collect(Collectors.joining(","));
    }

    // Lasting faults

    /**
     * Forwards nothing from now on, in either direction, not even the end of a connection. Connections stay open. The
     * proxy accepts new ones and never answers them.
     */
    public void silence() {
        requestsSilent = true;
        repliesSilent = true;
        settle();
    }

    /** Forwards nothing to the server from now on. What the server sends arrives. */
    public void silenceRequests() {
        requestsSilent = true;
        settle();
    }

    /** Forwards nothing to clients from now on. What clients send arrives. */
    public void silenceReplies() {
        repliesSilent = true;
        settle();
    }

    /**
     * Delays all data to clients from now on.
     *
     * @param delay the delay; data that the server sends during a delay are delayed by up to twice as much
     * @throws IllegalArgumentException if the delay is negative
     */
    public void delayReplies(Duration delay) {
        replyDelay = checked(delay);
    }

    /** Forwards everything byte by byte from now on, so that a receiver reads requests and replies in parts. */
    public void slice() {
        sliced = true;
    }

    /** Refuses new connections from now on. Present connections are not affected. */
    public void refuse() {
        lock.lock();
        try {
            entrances.forEach(Entrance::close);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends all lasting faults, cancels faults that have not struck, and cuts connections on which the proxy dropped
     * data.
     */
    public void heal() {
        requestsSilent = false;
        repliesSilent = false;
        sliced = false;
        replyDelay = Duration.ZERO;
        oneShots.forEach(OneShot::disarm);
        oneShots.clear();
        connections.forEach(ProxyConnection::forgiveReply);
        settle();
        connections.stream().filter(ProxyConnection::hasLost).forEach(ProxyConnection::cut);
        listen();
    }

    // Immediate faults

    /** Closes all connections on both sides. The proxy still accepts new ones. */
    public void cut() {
        connections.forEach(ProxyConnection::cut);
    }

    /** Resets all connections on both sides (RST). The proxy still accepts new ones. */
    public void reset() {
        connections.forEach(ProxyConnection::reset);
    }

    // Faults that strike once

    /** {@return a fault that drops the next request and silences its connection} */
    public Fault dropNextRequest() {
        return dropNextRequest(request -> true, Then.SILENCE);
    }

    /**
     * Drops the next request that matches.
     *
     * @param which the requests that match
     * @param then what the proxy does with the connection
     * @return the fault
     */
    public Fault dropNextRequest(Predicate<byte[]> which, Then then) {
        return arm(OneShot.Effect.DROP_REQUEST, which, then, Duration.ZERO);
    }

    /** {@return a fault that drops the reply to the next request and silences its connection} */
    public Fault dropNextReply() {
        return dropNextReply(request -> true, Then.SILENCE);
    }

    /**
     * Forwards the next request that matches, and drops its reply.
     *
     * @param which the <em>requests</em> that match
     * @param then what the proxy does with the connection after the reply
     * @return the fault; it strikes when the server replies
     */
    public Fault dropNextReply(Predicate<byte[]> which, Then then) {
        return arm(OneShot.Effect.DROP_REPLY, which, then, Duration.ZERO);
    }

    /**
     * Drops the next message from the server that matches, and keeps forwarding on that connection. Use it only for
     * messages that the server sends alone, such as notifications; otherwise the client reads a stream with a gap.
     *
     * @param which the messages that match
     * @return the fault
     */
    public Fault dropNextPush(Predicate<byte[]> which) {
        return arm(OneShot.Effect.DROP_PUSH, which, Then.SILENCE, Duration.ZERO);
    }

    /**
     * Delays the next request that matches. It reaches the server even if its client closes the connection meanwhile.
     *
     * @param which the requests that match
     * @param delay the delay, also of later requests on that connection
     * @return the fault; it strikes when the proxy forwards the request
     * @throws IllegalArgumentException if the delay is negative
     */
    public Fault delayNextRequest(Predicate<byte[]> which, Duration delay) {
        return arm(OneShot.Effect.DELAY_REQUEST, which, Then.SILENCE, checked(delay));
    }

    /**
     * Delays the reply to the next request that matches.
     *
     * @param which the <em>requests</em> that match
     * @param delay the delay, also of later replies on that connection
     * @return the fault; it strikes when the proxy forwards the reply
     * @throws IllegalArgumentException if the delay is negative
     */
    public Fault delayNextReply(Predicate<byte[]> which, Duration delay) {
        return arm(OneShot.Effect.DELAY_REPLY, which, Then.SILENCE, checked(delay));
    }

    private static Duration checked(Duration delay) {
        if (Objects.requireNonNull(delay, "delay").isNegative()) {
            throw new IllegalArgumentException("delay is negative: " + delay);
        }
        return delay;
    }

    private Fault arm(OneShot.Effect effect, Predicate<byte[]> which, Then then, Duration delay) {
        OneShot shot = new OneShot(
                effect, Objects.requireNonNull(which, "which"), Objects.requireNonNull(then, "then"), delay);
        oneShots.add(shot);
        return shot;
    }

    // Counters

    /** {@return how many connections the proxy has accepted} */
    public long connections() {
        return accepted.get();
    }

    /** {@return how many connections of clients are open now} */
    public int openConnections() {
        return connections.size();
    }

    /** {@return how many requests the proxy has forwarded to the server} */
    public long requests() {
        return requests.get();
    }

    /** {@return how many replies the proxy has forwarded to clients} */
    public long replies() {
        return replies.get();
    }

    /** Cuts all connections and accepts no more. A second call does nothing. */
    @Override
    public void close() {
        closed = true;
        refuse();
        cut();
    }

    // For ProxyConnection

    boolean areRequestsSilent() {
        return requestsSilent;
    }

    boolean areRepliesSilent() {
        return repliesSilent;
    }

    boolean isSilent() {
        return requestsSilent && repliesSilent;
    }

    boolean isSliced() {
        return sliced;
    }

    Duration replyDelay() {
        return replyDelay;
    }

    @Nullable
    OneShot claim(byte[] chunk, Set<OneShot.Effect> effects) {
        for (OneShot shot : oneShots) {
            if (effects.contains(shot.effect) && shot.claims(chunk)) {
                oneShots.remove(shot);
                return shot;
            }
        }
        return null;
    }

    void requestCarried() {
        requests.incrementAndGet();
    }

    void replyCarried() {
        replies.incrementAndGet();
    }

    void ended(ProxyConnection connection) {
        connections.remove(connection);
    }

    /**
     * Waits until the connections have written what they were writing; up to 200 ms for a receiver that does not read.
     */
    private void settle() {
        connections.forEach(connection -> connection.awaitQuiet(SETTLING));
    }

    private void listen() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            for (Entrance entrance : entrances) {
                entrance.open(this::open);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen on " + address(), e);
        } finally {
            lock.unlock();
        }
    }

    private void open(Entrance entrance, Socket client) {
        accepted.incrementAndGet();
        ProxyConnection connection = new ProxyConnection(this, entrance, client);
        connections.add(connection);
        connection.start();
        if (closed) {
            connection.cut();
        }
    }

    static Thread daemon(String role, Runnable work) {
        Thread thread = new Thread(work, "distlock-tests-proxy-" + role);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    static void closeQuietly(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            // The resource is closed even if close() fails.
        }
    }
}

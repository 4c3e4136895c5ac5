package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
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
import org.jspecify.annotations.Nullable;

/**
 * The network between clients and one server, with faults: a TCP proxy on the loopback interface. Thread-safe.
 *
 * <p>It understands nothing of what it carries. A <em>request</em> is what arrives from a client in one read, up to 64 KiB,
 * and a <em>reply</em> is what the server sends afterwards on that connection. This is exact for a client that waits for
 * each reply and whose requests and replies are short; requests that a client sends back to back may count as one.
 *
 * <p>Lasting faults hold for all connections, present and new, until {@link #heal()}. They apply to whatever is read after
 * the call has returned. Faults that strike once are ordered by the {@code drop…} and {@code delay…} methods that return a
 * {@link Fault}; they strike in the order in which they were ordered, and {@link #heal()} cancels those that have not.
 *
 * <p>Nobody ever reads half a stream: a direction of a connection that has swallowed something carries nothing any more,
 * and healing cuts that connection.
 */
public final class FaultProxy implements AutoCloseable {

    /** What becomes of a connection after its request or reply was dropped. */
    public enum Then {
        /** It stays open and carries nothing any more, in both directions, until it is healed (and thereby cut). */
        SILENCE,
        /** It is closed on both sides. */
        CUT
    }

    private static final int TRIES = 10;
    private static final Duration SETTLING = Duration.ofMillis(200);

    private final String serverHost;
    private final int serverPort;
    private final InetSocketAddress address = new InetSocketAddress(Ports.loopback(), Ports.free());
    private final Set<ProxyConnection> connections = ConcurrentHashMap.newKeySet();
    private final List<OneShot> oneShots = new CopyOnWriteArrayList<>();
    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong replies = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Listener listener;
    private volatile boolean closed;

    private volatile boolean requestsSilent;
    private volatile boolean repliesSilent;
    private volatile boolean sliced;
    private volatile Duration requestDelay = Duration.ZERO;
    private volatile Duration replyDelay = Duration.ZERO;

    private FaultProxy(String serverHost, int serverPort) {
        this.serverHost = serverHost;
        this.serverPort = serverPort;
    }

    /**
     * A proxy before this server; it carries everything unharmed until told otherwise.
     *
     * @param server to whom it connects
     * @return a proxy that accepts connections
     */
    public static FaultProxy to(Server server) {
        return to(server.host(), server.port());
    }

    /**
     * A proxy before this server; it carries everything unharmed until told otherwise.
     *
     * @param host of the server
     * @param port of the server
     * @return a proxy that accepts connections
     */
    public static FaultProxy to(String host, int port) {
        Objects.requireNonNull(host, "host");
        if (port < 1 || port > 65_535) {
            throw new IllegalArgumentException("port is not between 1 and 65535: " + port);
        }
        for (int left = TRIES; ; left--) {
            FaultProxy proxy = new FaultProxy(host, port);
            try {
                proxy.listen();
                return proxy;
            } catch (UncheckedIOException e) {
                // Somebody else was faster.
                if (left == 0) {
                    throw e;
                }
            }
        }
    }

    /**
     * Aims a fault at what contains this text, in UTF-8.
     *
     * @param text for example a key, or the name of a command
     * @return whether bytes contain the text
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

    /**
     * Where clients connect.
     *
     * @return an address of this machine
     */
    public String host() {
        return address.getAddress().getHostAddress();
    }

    /**
     * Where clients connect.
     *
     * @return the port; it stays the same
     */
    public int port() {
        return address.getPort();
    }

    /**
     * What clients call the address.
     *
     * @return {@code host:port}
     */
    public String address() {
        return host() + ":" + port();
    }

    // Lasting faults

    /**
     * From now on nothing arrives anywhere, in either direction, not even the end of a connection; connections stay open.
     * New ones are accepted and never answered.
     */
    public void silence() {
        requestsSilent = true;
        repliesSilent = true;
        settle();
    }

    /** From now on nothing arrives at the server; what it sends arrives. */
    public void silenceRequests() {
        requestsSilent = true;
        settle();
    }

    /** From now on nothing arrives at the clients; what they send arrives. */
    public void silenceReplies() {
        repliesSilent = true;
        settle();
    }

    /**
     * From now on each chunk to the server is late.
     *
     * @param delay by this; what is sent meanwhile by up to twice as much
     */
    public void delayRequests(Duration delay) {
        requestDelay = checked(delay);
    }

    /**
     * From now on each chunk to the client is late.
     *
     * @param delay by this; what is sent meanwhile by up to twice as much
     */
    public void delayReplies(Duration delay) {
        replyDelay = checked(delay);
    }

    /** From now on all that is carried is sent on byte by byte, so that its receiver finds requests and replies in parts. */
    public void slice() {
        sliced = true;
    }

    /** From now on new connections are refused. Present ones go on. */
    public void refuse() {
        lock.lock();
        try {
            if (listener != null) {
                listener.close();
                listener = null;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends all lasting faults, cancels those that have not struck, and cuts the connections that have lost something. */
    public void heal() {
        requestsSilent = false;
        repliesSilent = false;
        sliced = false;
        requestDelay = Duration.ZERO;
        replyDelay = Duration.ZERO;
        oneShots.forEach(OneShot::disarm);
        oneShots.clear();
        connections.forEach(ProxyConnection::forgiveReply);
        settle();
        connections.stream().filter(ProxyConnection::hasLost).forEach(ProxyConnection::cut);
        listen();
    }

    // Faults of a moment

    /** Closes all connections now, on both sides. New ones are welcome. */
    public void cut() {
        connections.forEach(ProxyConnection::cut);
    }

    /** Resets all connections now, on both sides (RST). New ones are welcome. */
    public void reset() {
        connections.forEach(ProxyConnection::reset);
    }

    // Faults that strike once

    /**
     * The next request does not reach the server, and its connection falls silent.
     *
     * @return the fault
     */
    public Fault dropNextRequest() {
        return dropNextRequest(request -> true, Then.SILENCE);
    }

    /**
     * The next request of a kind does not reach the server.
     *
     * @param which the requests that it is aimed at
     * @param then what becomes of the connection
     * @return the fault
     */
    public Fault dropNextRequest(Predicate<byte[]> which, Then then) {
        return order(OneShot.Effect.DROP_REQUEST, which, then, Duration.ZERO);
    }

    /**
     * The next request reaches the server, but its reply gets lost, and its connection falls silent.
     *
     * @return the fault; it has struck when the server has replied
     */
    public Fault dropNextReply() {
        return dropNextReply(request -> true, Then.SILENCE);
    }

    /**
     * The next request of a kind reaches the server, but its reply gets lost.
     *
     * @param which the <em>requests</em> that it is aimed at
     * @param then what becomes of the connection once the server has replied
     * @return the fault; it has struck when the server has replied
     */
    public Fault dropNextReply(Predicate<byte[]> which, Then then) {
        return order(OneShot.Effect.DROP_REPLY, which, then, Duration.ZERO);
    }

    /**
     * The next message of a kind that the server sends, asked or unasked, gets lost; the connection goes on. Only for
     * messages that arrive alone, such as notifications: otherwise the client reads half a stream.
     *
     * @param which the messages that it is aimed at
     * @return the fault
     */
    public Fault dropNextPush(Predicate<byte[]> which) {
        return order(OneShot.Effect.DROP_PUSH, which, Then.SILENCE, Duration.ZERO);
    }

    /**
     * The next request of a kind reaches the server late, even when its client has closed the connection meanwhile.
     *
     * @param which the requests that it is aimed at
     * @param delay how late; it also delays what follows on that connection
     * @return the fault; it has struck when the request has been sent on
     */
    public Fault delayNextRequest(Predicate<byte[]> which, Duration delay) {
        return order(OneShot.Effect.DELAY_REQUEST, which, Then.SILENCE, checked(delay));
    }

    /**
     * The next request of a kind reaches the server, but its reply comes late.
     *
     * @param which the <em>requests</em> that it is aimed at
     * @param delay how late; it also delays what follows on that connection
     * @return the fault; it has struck when the reply has been sent on
     */
    public Fault delayNextReply(Predicate<byte[]> which, Duration delay) {
        return order(OneShot.Effect.DELAY_REPLY, which, Then.SILENCE, checked(delay));
    }

    private static Duration checked(Duration delay) {
        if (Objects.requireNonNull(delay, "delay").isNegative()) {
            throw new IllegalArgumentException("delay is negative: " + delay);
        }
        return delay;
    }

    private Fault order(OneShot.Effect effect, Predicate<byte[]> which, Then then, Duration delay) {
        OneShot shot = new OneShot(
                effect, Objects.requireNonNull(which, "which"), Objects.requireNonNull(then, "then"), delay);
        oneShots.add(shot);
        return shot;
    }

    // What was carried

    /**
     * How many connections were accepted.
     *
     * @return since the beginning
     */
    public long connections() {
        return accepted.get();
    }

    /**
     * How many connections are open on the side of the clients.
     *
     * @return now
     */
    public int openConnections() {
        return connections.size();
    }

    /**
     * How many requests were sent on to the server.
     *
     * @return since the beginning
     */
    public long requests() {
        return requests.get();
    }

    /**
     * How many replies were sent on to clients.
     *
     * @return since the beginning
     */
    public long replies() {
        return replies.get();
    }

    /** Cuts all connections and accepts no more. Closing twice is nothing. */
    @Override
    public void close() {
        closed = true;
        refuse();
        cut();
    }

    // For the connections

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

    Duration requestDelay() {
        return requestDelay;
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

    Socket connectToServer() throws IOException {
        Socket server = new Socket();
        try {
            server.setTcpNoDelay(true);
            server.connect(new InetSocketAddress(serverHost, serverPort), 10_000);
            return server;
        } catch (IOException e) {
            server.close();
            throw e;
        }
    }

    /** What was being written when a fault began has been written when this returns, unless its receiver does not read. */
    private void settle() {
        connections.forEach(connection -> connection.awaitQuiet(SETTLING));
    }

    private void listen() {
        lock.lock();
        try {
            if (closed || listener != null) {
                return;
            }
            listener = new Listener(address, this::open);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen on " + address(), e);
        } finally {
            lock.unlock();
        }
    }

    private void open(Socket client) {
        accepted.incrementAndGet();
        ProxyConnection connection = new ProxyConnection(this, client);
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
            // It is closed either way.
        }
    }
}

package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.Protocol.SentinelKeyword;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * The primary that sentinels name. It keeps all locks.
 *
 * <p><b>The switch.</b> Three things show that another server is the primary: the message of a sentinel
 * ({@link SwitchMessages}), a request that fails, and a connection to a server whose {@code ROLE} is not that of a
 * primary. After the last two, the sentinels are asked again, and the answer with the greatest epoch counts. The
 * connections to the former primary are closed at once: a request under way there fails, and is sent to the new primary
 * if it is safe to repeat. All holds are renewed at once, because the new primary may not know them.
 *
 * <p><b>One node at a time.</b> {@link #current} changes by a compare-and-set from the node that is replaced. A node
 * that loses is closed unused.
 *
 * <p><b>Old answers.</b> A sentinel that lags may still name the former primary, which may still count itself as one if
 * it is cut off. So an answer with a smaller epoch than that of the present primary does not count, unless all
 * sentinels have answered later than this primary was named: they have forgotten their epochs if an operator has
 * removed and added the primary. An answer with the same epoch is another address of the same server. It counts only
 * after a request has failed at the present address.
 *
 * <p><b>Messages.</b> A message has no epoch. It counts if it replaces the present primary, whose epoch then is at
 * least the next one. Otherwise it has the sentinels asked.
 */
final class SentinelPrimary implements Topology {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final String REPLACED = "the sentinels have named another primary";
    private static final Pattern SWITCH = Pattern.compile("(\\S+) (\\S+) (\\d+) (\\S+) (\\d{1,5})");

    private final String name;
    private final Node.Shared shared;
    private final Inquiries<HostAndPort> inquiries;
    private final SwitchMessages messages;
    private final AtomicReference<@Nullable Primary> current = new AtomicReference<>();
    /** The node at which a request has failed last. */
    private volatile @Nullable Node failing;

    private volatile boolean closed;

    /**
     * A primary.
     *
     * @param epoch is not greater than that of the failover that made it the primary
     * @param since the nano time at which it was named
     */
    private record Primary(Node node, long epoch, long since) {}

    /**
     * Sends nothing yet.
     *
     * @param name what the sentinels call the primary
     * @param config how to connect to the sentinels
     */
    SentinelPrimary(List<HostAndPort> sentinels, String name, JedisClientConfig config, Node.Shared shared) {
        this.name = name;
        this.shared = shared;
        this.inquiries = new Inquiries<>(
                sentinel -> this::ask, () -> sentinels, config, this::learn, shared.late(), shared.context());
        this.messages = new SwitchMessages(sentinels, config, this::received, inquiries::beginAnother, shared);
    }

    private Inquiries.Answer<HostAndPort> ask(Connection sentinel) {
        // The epoch first, so that it is never that of a later failover than the address.
        sentinel.sendCommand(new CommandArguments(Command.SENTINEL)
                .add(SentinelKeyword.MASTER)
                .add(name));
        sentinel.sendCommand(new CommandArguments(Command.SENTINEL)
                .add(SentinelKeyword.GET_MASTER_ADDR_BY_NAME)
                .add(name));
        List<Object> replies = new ArrayList<>(sentinel.getMany(2));
        if (replies.get(1) instanceof JedisDataException error) {
            throw error;
        }
        if (!(replies.get(1) instanceof List<?> address) || address.size() != 2) {
            throw new JedisDataException("ERR No such master with that name: \"" + name + "\"");
        }
        HostAndPort primary = new HostAndPort(Replies.text(address.get(0)), Replies.port(address.get(1)));
        return new Inquiries.Answer<>(epoch(replies.get(0)), primary);
    }

    /** Returns the epoch in the description of a primary, or 0 if the sentinel gives none. */
    private static long epoch(Object description) {
        if (description instanceof List<?> fields) {
            for (int i = 0; i + 1 < fields.size(); i += 2) {
                if (Replies.text(fields.get(i)).equals("config-epoch")) {
                    return Replies.number(fields.get(i + 1));
                }
            }
        }
        return 0;
    }

    /** Takes the message of a switch: the name, the former address and the present one. */
    private void received(String message) {
        Matcher words = SWITCH.matcher(message);
        if (!words.matches() || !words.group(1).equals(name)) {
            return;
        }
        Primary former = current.get();
        int port = Integer.parseInt(words.group(5));
        boolean counts = former != null
                && former.node.address().toString().equals(words.group(2) + ":" + words.group(3))
                && port <= 65_535
                && follow(former, new HostAndPort(words.group(4), port), former.epoch + 1);
        if (!counts) {
            inquiries.beginAnother();
        }
    }

    private void learn(Inquiries.Answer<HostAndPort> answer, long begunAt, boolean isOfAll) {
        boolean done = false;
        while (!done) {
            Primary former = current.get();
            boolean counts = former == null
                    || answer.epoch() > former.epoch
                    || (answer.epoch() == former.epoch && former.node == failing)
                    || (answer.epoch() < former.epoch && isOfAll && begunAt - former.since > 0);
            done = !counts || follow(former, answer.content(), answer.epoch());
        }
    }

    /** Returns false if another thread has replaced the former primary before. */
    private boolean follow(@Nullable Primary former, HostAndPort address, long epoch) {
        if (former != null && former.node.address().equals(address)) {
            return epoch == former.epoch
                    || current.compareAndSet(former, new Primary(former.node, epoch, former.since));
        }
        long now = shared.context().clock.nanoTime();
        Node next = new Node(address, name, shared);
        if (!current.compareAndSet(former, new Primary(next, epoch, now))) {
            next.close(REPLACED);
            return false;
        }
        if (former != null) {
            replaced(former.node, next);
        }
        if (closed) {
            next.close(OwnConnections.CLOSED);
        }
        return true;
    }

    private void replaced(Node former, Node next) {
        former.close(REPLACED);
        shared.context().serverReplaced(name);
        shared.context().log(() -> LOG.info("{} is the primary \"{}\" in place of {}", next, name, former));
    }

    private @Nullable Node node() {
        Primary primary = current.get();
        return primary == null ? null : primary.node;
    }

    @Override
    public Object server(byte[] lockKey) {
        return name;
    }

    @Override
    public Route route(byte[] lockKey, Deadline deadline) throws InterruptedException {
        return new Route(any(deadline));
    }

    @Override
    public Node any(Deadline deadline) throws InterruptedException {
        if (closed) {
            throw new JedisConnectionException(OwnConnections.CLOSED);
        }
        Node node = node();
        if (node == null) {
            inquiries.begin().await(deadline);
            node = node();
        }
        if (node == null) {
            throw new JedisConnectionException("no sentinel has named the primary \"" + name + "\" in time");
        }
        messages.need();
        return node;
    }

    @Override
    public @Nullable Route afterFailure(Route failed, byte[] lockKey, JedisException error, Deadline deadline)
            throws InterruptedException {
        if (closed || !(error instanceof JedisConnectionException || JedisCalls.isOfAnotherServer(error))) {
            return null;
        }
        if (node() == failed.node()) {
            failing = failed.node();
            inquiries.askAfter(error, deadline);
        }
        Node now = node();
        return now == null || now == failed.node() ? null : new Route(now);
    }

    @Override
    public Collection<Node> serving(Deadline deadline) throws InterruptedException {
        return List.of(any(deadline));
    }

    @Override
    public void disconnect() {
        messages.disconnect();
        inquiries.disconnect();
        Node node = node();
        if (node != null) {
            node.disconnect();
        }
    }

    @Override
    public void close() {
        closed = true;
        messages.close();
        inquiries.close();
        Node node = node();
        if (node != null) {
            node.close(OwnConnections.CLOSED);
        }
    }

    @Override
    public String toString() {
        return "the primary \"" + name + "\"";
    }
}

package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
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
 * <p><b>Old answers.</b> A message is newer than each answer that was asked for before it. So a question notes how many
 * messages have come. Its answer counts only if there is no later message. A sentinel that lags may still name the
 * former primary. If that one has become a replica, its role shows this. If it has not, it still counts itself as the
 * primary, and the sentinels name the new one within seconds.
 */
final class SentinelPrimary implements Topology {
    private static final Logger LOG = LoggerFactory.getLogger(RedisBackend.class);
    private static final String REPLACED = "the sentinels have named another primary";

    private final String name;
    private final Node.Shared shared;
    private final Inquiries<Named> inquiries;
    private final SwitchMessages messages;
    private final AtomicReference<@Nullable Node> current = new AtomicReference<>();
    private final AtomicLong messagesSeen = new AtomicLong();
    private volatile boolean closed;

    /**
     * What a sentinel has answered.
     *
     * @param messagesSeen how many messages had come when it was asked
     */
    private record Named(HostAndPort primary, long messagesSeen) {}

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

    private Inquiries.Answer<Named> ask(Connection sentinel) {
        long seen = messagesSeen.get();
        sentinel.sendCommand(new CommandArguments(Command.SENTINEL)
                .add(SentinelKeyword.GET_MASTER_ADDR_BY_NAME)
                .add(name));
        sentinel.sendCommand(new CommandArguments(Command.SENTINEL)
                .add(SentinelKeyword.MASTER)
                .add(name));
        List<Object> replies = new ArrayList<>(sentinel.getMany(2));
        if (replies.get(0) instanceof JedisDataException error) {
            throw error;
        }
        if (!(replies.get(0) instanceof List<?> address) || address.size() != 2) {
            throw new JedisDataException("ERR No such master with that name: \"" + name + "\"");
        }
        HostAndPort primary =
                new HostAndPort(Replies.text(address.get(0)), Math.toIntExact(Replies.number(address.get(1))));
        return new Inquiries.Answer<>(epoch(replies.get(1)), new Named(primary, seen));
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
        String[] words = message.split(" ", -1);
        if (words.length == 5 && words[0].equals(name) && words[4].matches("\\d{1,5}")) {
            var unused = messagesSeen.incrementAndGet();
            follow(new HostAndPort(words[3], Integer.parseInt(words[4])), () -> true);
        }
    }

    private void learn(Named named) {
        follow(named.primary, () -> messagesSeen.get() == named.messagesSeen);
    }

    private void follow(HostAndPort primary, BooleanSupplier counts) {
        while (true) {
            Node former = current.get();
            if ((former != null && former.address().equals(primary)) || !counts.getAsBoolean()) {
                return;
            }
            Node next = new Node(primary, name, shared);
            if (current.compareAndSet(former, next)) {
                if (former != null) {
                    replaced(former, next);
                }
                if (closed) {
                    next.close(OwnConnections.CLOSED);
                }
                return;
            }
            next.close(REPLACED);
        }
    }

    private void replaced(Node former, Node next) {
        former.close(REPLACED);
        shared.context().serverReplaced(name);
        shared.context().log(() -> LOG.info("{} is the primary \"{}\" in place of {}", next, name, former));
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
        Node node = current.get();
        if (node == null) {
            inquiries.begin().await(deadline);
            node = current.get();
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
        if (current.get() == failed.node()) {
            inquiries.askAfter(error, deadline);
        }
        Node now = current.get();
        return now == null || now == failed.node() ? null : new Route(now);
    }

    @Override
    public void disconnect() {
        inquiries.disconnect();
        messages.disconnect();
        Node node = current.get();
        if (node != null) {
            node.disconnect();
        }
    }

    @Override
    public void close() {
        closed = true;
        inquiries.close();
        messages.close();
        Node node = current.get();
        if (node != null) {
            node.close(OwnConnections.CLOSED);
        }
    }
}

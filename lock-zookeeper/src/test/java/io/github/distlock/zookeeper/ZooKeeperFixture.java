package io.github.distlock.zookeeper;

import io.github.distlock.tests.ServerFixture;
import io.github.distlock.tests.servers.Server;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.zookeeper.ZooKeeper;

/**
 * A separate base path on a server or an ensemble. The lease is the session timeout.
 *
 * <p>A client reaches each member of an ensemble through a proxy, and faults of its network concern all its proxies.
 * Faults of the server concern all members: if a member is left, its clients continue without a loss.
 */
final class ZooKeeperFixture extends ServerFixture<Server> {
    private final String base = "/" + space();

    ZooKeeperFixture() {
        this(SharedZooKeeper.server());
    }

    ZooKeeperFixture(Server server) {
        this(server, SharedZooKeeper::startAnother);
    }

    ZooKeeperFixture(Server server, Supplier<? extends Server> servers) {
        super(server, servers, new ZooKeeperFactory());
    }

    /**
     * Returns the time of the server's last answer to the session, plus the session timeout. The server counts on the
     * monotonic clock of this machine. In an ensemble, it is a tick less: the leader pings its followers twice per
     * tick, and counts from their replies.
     */
    @Override
    protected OptionalLong endsHoldAt(String name) {
        long session =
                SharedZooKeeper.asked(server(), operator -> SharedZooKeeper.sessionOfFirst(operator, directory(name)));
        List<? extends Server> members = server().members();
        String connections = members.stream()
                .map(member -> SharedZooKeeper.fourLetterWord(member, "cons"))
                .collect(Collectors.joining());
        Matcher connection = Pattern.compile("sid=0x" + Long.toHexString(session) + ",.*,lresp=(\\d+),")
                .matcher(connections);
        if (!connection.find()) {
            throw new IllegalStateException("the server does not know the session of " + name);
        }
        long answeredAt = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(connection.group(1)));
        Duration kept = ZooKeeperFactory.SESSION.minus(members.size() > 1 ? SharedZooKeeper.TICK : Duration.ZERO);
        return OptionalLong.of(answeredAt + kept.toNanos());
    }

    private String directory(String name) {
        return base + "/" + name.replace("/", "%2F");
    }

    @Override
    public void lose(String name) {
        SharedZooKeeper.asked(server(), operator -> SharedZooKeeper.deleteFirst(operator, directory(name)));
    }

    @Override
    public List<String> leftovers() {
        return SharedZooKeeper.asked(server(), this::leftovers);
    }

    private List<String> leftovers(ZooKeeper operator) {
        List<String> leftovers = new ArrayList<>();
        for (String lock : SharedZooKeeper.children(operator, base)) {
            for (String node : SharedZooKeeper.children(operator, base + "/" + lock)) {
                leftovers.add(lock + "/" + node);
            }
        }
        return leftovers;
    }

    @Override
    public Duration lease() {
        return ZooKeeperFactory.SESSION;
    }
}

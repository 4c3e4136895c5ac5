package io.github.distlock.zookeeper;

import io.github.distlock.tests.ServerFixture;
import io.github.distlock.tests.servers.ZooKeeperServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.ZooKeeper;

/** A separate base path on a server. The lease is the session timeout. */
final class ZooKeeperFixture extends ServerFixture<ZooKeeperServer> {
    private final String base = "/" + space();

    ZooKeeperFixture() {
        this(SharedZooKeeper.server());
    }

    ZooKeeperFixture(ZooKeeperServer server) {
        super(server, SharedZooKeeper::startAnother, new ZooKeeperFactory());
    }

    /**
     * Returns the time of the server's last answer to the session, plus the session timeout. The server counts on the
     * monotonic clock of this machine.
     */
    @Override
    protected OptionalLong endsHoldAt(String name) {
        long session =
                SharedZooKeeper.asked(server(), operator -> SharedZooKeeper.sessionOfFirst(operator, directory(name)));
        Matcher connection = Pattern.compile("sid=0x" + Long.toHexString(session) + ",.*,lresp=(\\d+),")
                .matcher(SharedZooKeeper.fourLetterWord(server(), "cons"));
        if (!connection.find()) {
            throw new IllegalStateException("the server does not know the session of " + name);
        }
        long answeredAt = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(connection.group(1)));
        return OptionalLong.of(answeredAt + ZooKeeperFactory.SESSION.toNanos());
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

package io.github.distlock.simulator.redis;

import io.github.distlock.simulator.SimulatedProcess;
import io.github.distlock.simulator.World;
import io.github.distlock.spi.Deadline;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The requests of one purpose to one server: one {@link Link} at a time, which is opened when it is needed. */
final class Lane {
    private final RedisNode node;
    private final SimulatedProcess process;
    private final World world;
    private @Nullable Link link;
    private boolean isClosed;
    private int underWay;

    Lane(RedisNode node, SimulatedProcess process, World world) {
        this.node = node;
        this.process = process;
        this.world = world;
    }

    /** Returns whether no request is under way. */
    boolean isIdle() {
        return underWay == 0;
    }

    Link.Exchange exchange(List<List<byte[]>> commands, Deadline deadline, boolean asking) throws InterruptedException {
        underWay++;
        try {
            return send(commands, deadline, asking);
        } finally {
            underWay--;
        }
    }

    private Link.Exchange send(List<List<byte[]>> commands, Deadline deadline, boolean asking)
            throws InterruptedException {
        Link used = link;
        if (used == null || !used.isUsable()) {
            if (isClosed) {
                throw new IllegalStateException(SimulatedConnections.CLOSED);
            }
            used = new Link(node, process.name(), world);
            link = used;
        }
        used.awaitOpened(deadline);
        if (deadline.hasPassed()) {
            // A request that is not sent yet must not be sent: it would arrive after its cleanup.
            throw new IllegalStateException("not sent in time");
        }
        return used.exchange(commands, deadline, asking);
    }

    void disconnect() {
        Link used = link;
        link = null;
        if (used != null) {
            used.end("disconnected");
        }
    }

    void close() {
        isClosed = true;
        disconnect();
    }
}

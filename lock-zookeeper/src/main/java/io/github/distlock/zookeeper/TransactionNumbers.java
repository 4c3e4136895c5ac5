package io.github.distlock.zookeeper;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The numbers of the ensemble's transactions, of which fencing tokens are made. They rise for as long as the ensemble
 * keeps its data; that they do not is noticed at the first node that a session makes.
 */
final class TransactionNumbers {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperBackend.class);

    private final AtomicLong highest;
    private final long before;
    private final AtomicBoolean reported = new AtomicBoolean();

    /**
     * As one session sees them.
     *
     * @param highest that this client has seen, over all its sessions
     */
    TransactionNumbers(AtomicLong highest) {
        this.highest = highest;
        this.before = highest.get();
    }

    void note(long number) {
        if (number <= before && reported.compareAndSet(false, true)) {
            LOG.error(
                    "ZooKeeper's transaction numbers went back from 0x{} to 0x{}: the ensemble has lost its data, and "
                            + "fencing tokens may be smaller than those that were given before",
                    Long.toHexString(before),
                    Long.toHexString(number));
        }
        highest.accumulateAndGet(number, Math::max);
    }
}

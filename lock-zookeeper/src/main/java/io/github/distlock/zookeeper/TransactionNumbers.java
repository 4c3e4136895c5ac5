package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The numbers of the ensemble's transactions, which are the bases of fencing tokens. They increase as long as the
 * ensemble keeps its data. If they have not increased, the first node that a session creates shows it.
 *
 * <p>Thread-safe.
 */
final class TransactionNumbers {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperBackend.class);

    private final AtomicLong highest;
    private final long highestBefore;
    private final BackendContext context;
    private final AtomicBoolean reported = new AtomicBoolean();

    /**
     * Makes the check of one session.
     *
     * @param highest the highest number that this client has seen, over all its sessions
     */
    TransactionNumbers(AtomicLong highest, BackendContext context) {
        this.highest = highest;
        this.context = context;
        this.highestBefore = highest.get();
    }

    /**
     * Notes the number of a transaction of this session. Logs an error, once, if the client saw this number or a higher
     * one before this session.
     */
    void note(long number) {
        if (number <= highestBefore && reported.compareAndSet(false, true)) {
            context.log(() -> LOG.error(
                    "ZooKeeper's transaction numbers went back from 0x{} to 0x{}: the ensemble has lost its data, and "
                            + "new fencing tokens may be smaller than earlier ones",
                    Long.toHexString(highestBefore),
                    Long.toHexString(number)));
        }
        highest.accumulateAndGet(number, Math::max);
    }
}

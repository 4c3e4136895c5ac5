package io.github.distlock.zookeeper;

import java.time.Instant;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

/**
 * What a waiter waits behind, for people. All of it comes from answers that the waiter needs anyway: the listing of the
 * queue, and the answer to the request for the watch on the predecessor.
 *
 * <p>Thread-safe.
 */
final class Blocker {
    private final Session session;
    private final String predecessor;
    private final String first;
    private volatile @Nullable Seen seen;

    private static final class Seen {
        private final byte @Nullable [] data;
        private final Stat stat;

        private Seen(byte @Nullable [] data, Stat stat) {
            this.data = data;
            this.stat = stat;
        }
    }

    /**
     * Makes a blocker.
     *
     * @param predecessor the path of the waiter's predecessor
     * @param first the path of the first node in the listing that showed the predecessor
     */
    Blocker(Session session, String predecessor, String first) {
        this.session = session;
        this.predecessor = predecessor;
        this.first = first;
    }

    boolean isFirst() {
        return predecessor.equals(first);
    }

    /** Returns whether the predecessor belongs to another program, as far as its data say. */
    boolean isForeign() {
        Seen known = seen;
        return known != null && OwnerData.read(known.data).isForeign();
    }

    boolean isBehind(String node) {
        return first.equals(node);
    }

    /** Notes the predecessor's node. */
    void saw(byte @Nullable [] data, Stat stat) {
        seen = new Seen(data, stat);
    }

    /**
     * Describes the predecessor, and names the first node of the queue if that is another one.
     *
     * @param wallMillis the time by this client's wall clock
     */
    String description(long wallMillis) {
        Seen known = seen;
        return "it waits behind " + predecessor + (known == null ? "" : description(known, wallMillis))
                + (isFirst() ? "" : "; the first node of the queue was " + first);
    }

    private String description(Seen known, long wallMillis) {
        long createdAt = known.stat.getCtime();
        OwnerData owner = OwnerData.read(known.data);
        return ", which " + owner.owner() + " created at " + Instant.ofEpochMilli(createdAt) + ", "
                + Math.max(0, wallMillis - createdAt) + " ms ago; " + end(owner, known.stat);
    }

    private String end(OwnerData owner, Stat stat) {
        if (NodeName.isKept(predecessor)) {
            return "it keeps the lock for the rest of a minimum hold or a lock delay, until "
                    + Instant.ofEpochMilli(stat.getMtime()).plus(owner.keptFor());
        }
        long owningSession = stat.getEphemeralOwner();
        return owningSession == 0
                ? "it has no session, so it stays until a program deletes it"
                : "it ends with session 0x" + Long.toHexString(owningSession) + ", at most "
                        + session.expiry(owner).toMillis()
                        + " ms after a crash of its client or after the last election";
    }
}

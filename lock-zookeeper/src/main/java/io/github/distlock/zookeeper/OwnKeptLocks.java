package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;

/**
 * The {@linkplain KeptLock kept locks} of one client, until their nodes do not exist any more. The {@link Companion} of
 * a lost hold is one of them. Contenders of this library delete the nodes of kept locks. But other libraries do not,
 * and perhaps nobody asks for the lock. So the client deletes the nodes of its own kept locks as well, as long as it
 * runs.
 *
 * <p>The client counts from the answer to the release, or from the loss, on its monotonic clock, and adds what clocks
 * may drift. So it is never too early. It deletes by path, and no other node ever has this path.
 *
 * <p>Thread-safe. One thread at a time deletes: {@link KeepAlive}.
 */
final class OwnKeptLocks {
    /** The part of the time by which the clock of the client may run fast. */
    private static final int DRIFT_DIVISOR = 100;

    private final LockClock clock;
    private final Map<String, Long> endsAt = new ConcurrentHashMap<>();
    private final Map<String, Answer<Code>> deletions = new ConcurrentHashMap<>();

    OwnKeptLocks(LockClock clock) {
        this.clock = clock;
    }

    /** Notes a kept lock after the answer to its release, or after the loss of its hold. */
    void add(String path, Duration time) {
        endsAt.put(
                path,
                clock.nanoTime() + time.plus(time.dividedBy(DRIFT_DIVISOR)).toNanos());
    }

    /** Sends the deletion of each node whose time is over, and forgets those that are gone. Does not wait. */
    void deleteOver(Session session) {
        long now = clock.nanoTime();
        endsAt.forEach((path, end) -> {
            if (end - now > 0) {
                return;
            }
            Answer<Code> sent = deletions.get(path);
            if (sent == null) {
                deletions.put(path, session.delete(path));
            } else if (sent.isDone()) {
                deletions.remove(path);
                if (isAnswered(sent)) {
                    endsAt.remove(path);
                }
            }
        });
    }

    /** Returns whether the node does not exist any more, or the server refuses its deletion. */
    private boolean isAnswered(Answer<Code> deletion) {
        try {
            var unused = deletion.await(Deadline.after(Duration.ZERO, clock));
            return true;
        } catch (KeeperException e) {
            return !Failures.isUnknownOutcome(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}

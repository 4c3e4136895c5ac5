package io.github.distlock.tests.history;

import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.history.Event.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A history that is recorded in memory, and checked as those of real processes are. All times are nanoseconds of one
 * clock. Processes and their acquires have numbers from 1. Not thread-safe.
 */
public final class RecordedHistory {
    /** The time of a limit that does not exist. */
    public static final long NEVER = Operation.NEVER;

    private final Map<Long, ProcessHistory> processes = new TreeMap<>();
    private final Map<Long, Long> events = new HashMap<>();
    private final List<InjectedFault> faults = new ArrayList<>();
    private long hash;

    /** Creates an empty history. */
    public RecordedHistory() {}

    private void add(
            long process, long at, Kind kind, long operation, String lock, long token, long until, String note) {
        hash = 31 * hash + Objects.hash(process, at, kind.name(), operation, lock, token, until, note);
        long sequence = events.merge(process, 1L, Long::sum);
        processes
                .computeIfAbsent(process, ProcessHistory::new)
                .add(new Event(sequence, at, kind, operation, lock, token, until, note));
    }

    /**
     * A thread calls acquire.
     *
     * @param process its process
     * @param at a time before the call
     * @param operation the number of the acquire
     * @param lock the name of the lock
     * @param how one word; it contains {@code fair} if the lock is fair, and then the queue entry must be recorded
     * @param mode the mode
     * @param limit when the acquire must return, or {@link #NEVER}
     */
    public void acquire(long process, long at, long operation, String lock, String how, LockMode mode, long limit) {
        add(process, at, Kind.ACQUIRE, operation, lock, 0, limit, how + Mode.words(mode));
    }

    /**
     * A thread turns its write hold into a read hold, which is one more acquire.
     *
     * @param process its process
     * @param at a time before the call
     * @param operation the number of this acquire
     * @param lock the name of the lock
     * @param token the token of the write hold
     * @param limit when the call must return, or {@link #NEVER}
     */
    public void downgrade(long process, long at, long operation, String lock, long token, long limit) {
        add(
                process,
                at,
                Kind.ACQUIRE,
                operation,
                lock,
                token,
                limit,
                AcquireKind.DOWNGRADE.word() + Mode.words(LockMode.READ));
    }

    /**
     * An acquire has its queue entry.
     *
     * @param process its process
     * @param at a time after that
     * @param operation its number
     */
    public void queued(long process, long at, long operation) {
        add(process, at, Kind.QUEUED, operation, "", 0, 0, "");
    }

    /**
     * A request for a lock has failed.
     *
     * @param process the process that has sent it
     * @param sent when it was sent
     * @param at when it failed
     * @param lock the name of the lock
     */
    public void failed(long process, long sent, long at, String lock) {
        add(process, at, Kind.REQUEST_FAILED, 0, lock, 0, sent, "");
    }

    /**
     * An acquire has returned a hold.
     *
     * @param process its process
     * @param at a time after the return
     * @param operation its number
     * @param token the fencing token
     */
    public void granted(long process, long at, long operation, long token) {
        add(process, at, Kind.GRANTED, operation, "", token, 0, "");
    }

    /**
     * An acquire has returned no hold.
     *
     * @param process its process
     * @param at a time after the return
     * @param operation its number
     * @param reason the reason
     */
    public void refused(long process, long at, long operation, String reason) {
        add(process, at, Kind.REFUSED, operation, "", 0, 0, reason);
    }

    /**
     * The holder has seen that it holds the lock.
     *
     * @param process its process
     * @param at a time before the holder asked
     * @param operation the number of the acquire
     * @param until the end of the validity that the hold claimed then, on the clock of this history
     */
    public void held(long process, long at, long operation, long until) {
        add(process, at, Kind.HELD, operation, "", 0, until, "");
    }

    /**
     * A thread calls release.
     *
     * @param process its process
     * @param at a time before the call
     * @param operation the number of the acquire
     */
    public void release(long process, long at, long operation) {
        add(process, at, Kind.RELEASE, operation, "", 0, 0, "");
    }

    /**
     * A release has returned.
     *
     * @param process its process
     * @param at a time after the return
     * @param operation the number of the acquire
     * @param outcome what it returned
     */
    public void released(long process, long at, long operation, String outcome) {
        add(process, at, Kind.RELEASED, operation, "", 0, 0, outcome);
    }

    /**
     * The client has notified a holder of a loss.
     *
     * @param process its process
     * @param at a time after the notification
     * @param operation the number of the acquire
     * @param reason the reason
     */
    public void lost(long process, long at, long operation, String reason) {
        add(process, at, Kind.LOST, operation, "", 0, 0, reason);
    }

    /**
     * A thread of a process did not run, although it could have run.
     *
     * @param process the process
     * @param from since when
     * @param until until when
     */
    public void stalled(long process, long from, long until) {
        add(process, from, Kind.STALLED, 0, "", 0, until, "");
    }

    /**
     * All calls of a process have returned, and its client is closed.
     *
     * @param process the process
     * @param at when
     */
    public void ended(long process, long at) {
        add(process, at, Kind.END, 0, "", 0, 0, "");
    }

    /**
     * A fault that may cost queue entries.
     *
     * @param process the process that it struck, or 0 for all
     * @param from a time not later than its beginning
     * @param until a time not earlier than its end
     */
    public void fault(long process, long from, long until) {
        faults.add(new InjectedFault(
                InjectedFault.Kind.SERVER_PAUSED, InjectedFault.Aim.SERVER, process, "", from, until));
    }

    /**
     * Returns a number that two histories share only if all their events were the same.
     *
     * @return a hash of all events so far
     */
    public long hash() {
        return hash;
    }

    /**
     * Checks this history.
     *
     * @param slack how much a busy machine may add to a bound
     * @param settling for how long after a fault a queue entry may still be lost by it
     * @return the rules that it breaks
     */
    public List<Violation> check(Duration slack, Duration settling) {
        return new HistoryChecker(new History(List.copyOf(processes.values()), faults), slack, settling).check();
    }
}

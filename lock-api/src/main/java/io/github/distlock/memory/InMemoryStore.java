package io.github.distlock.memory;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.LockClock;
import java.time.Duration;

/**
 * A store in memory, for tests. It serves waiters first come, first served, mints fencing tokens, and forgets holds
 * whose lease is over. Each {@link #connect()} is another client's connection: two clients of one store exclude each
 * other.
 *
 * <pre>{@code
 * InMemoryStore store = new InMemoryStore();
 * try (LockClient locks = LockClient.create(store.connect())) {
 *     LockHandle held = locks.lock("report").acquire();
 *     store.lose("report");            // what an operator, an eviction or a failover would do
 *     assertFalse(held.isHeld());
 * }
 * }</pre>
 *
 * <p><b>Time</b> is the system's until it is moved, for the store and for all its clients. {@link #advance} lets what
 * falls due happen in its order: renewals renew, leases end, waits run out. {@link #jump} lets nothing happen in
 * between, as when the process or its machine stood still.
 *
 * <p>Thread-safe.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class InMemoryStore {
    private final MovableClock clock = new MovableClock();
    private final LockTable table = new LockTable(clock);

    /** A store without any holds. */
    public InMemoryStore() {}

    /**
     * A connection for one client.
     *
     * @return a new backend
     */
    public InMemoryBackend connect() {
        return new InMemoryBackend(table, clock);
    }

    /**
     * Lets time pass, for the store and its clients. When this returns, what fell due has run: renewals, losses,
     * time-outs of waits, and the listeners and futures that depend on them, except those that take more than a second
     * of real time. Threads that were blocked in an acquire have been told; wait for them by other means.
     *
     * @param time how long, not negative
     * @throws IllegalArgumentException when it is negative
     */
    public void advance(Duration time) {
        clock.advance(notNegative(time));
    }

    /**
     * Lets time have passed in which no client could do anything, as when a process was stopped or a machine suspended:
     * holds that were due for renewal meanwhile are lost. Waits for what is due at the end, as {@link #advance} does.
     *
     * @param time how long, not negative
     * @throws IllegalArgumentException when it is negative
     */
    public void jump(Duration time) {
        clock.jump(notNegative(time));
    }

    /**
     * Sets the wall clock alone forward or back, as an operator or a time service would.
     *
     * @param time how far; negative is back
     */
    public void jumpWallClock(Duration time) {
        clock.jumpWallClock(requireNonNull(time, "time"));
    }

    /**
     * Ends whatever hold there is, and tells its holder's client at once.
     *
     * @param name the lock's name
     * @return whether there was a hold
     */
    @CanIgnoreReturnValue
    public boolean lose(String name) {
        return table.remove(requireNonNull(name, "name"), true).isPresent();
    }

    /**
     * Ends whatever hold there is, and tells nobody: its holder finds out by its next renewal.
     *
     * @param name the lock's name
     * @return whether there was a hold
     */
    @CanIgnoreReturnValue
    public boolean delete(String name) {
        return table.remove(requireNonNull(name, "name"), false).isPresent();
    }

    /**
     * How many locks are held or waited for.
     *
     * @return zero when nothing is left behind
     */
    public int size() {
        return table.size();
    }

    /**
     * The clock of this store and its clients.
     *
     * @return always the same
     */
    public LockClock clock() {
        return clock;
    }

    private static Duration notNegative(Duration time) {
        if (requireNonNull(time, "time").isNegative()) {
            throw new IllegalArgumentException("time must not be negative, but was " + time);
        }
        return time;
    }
}

package io.github.distlock.memory;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * A store in memory, for tests. It serves waiters first come, first served, mints fencing tokens, and forgets holds
 * after their lease. Each {@link #connect()} is the connection of another client. Two clients of one store exclude each
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
 * <p><b>Time</b> is the system's until a test moves it, for the store and for all its clients. {@link #advance} lets
 * events happen in their order: renewals, ends of leases, timeouts. {@link #jump} lets nothing happen in between, as if
 * the process or its machine had stood still.
 *
 * <p>Thread-safe.
 */
@SuppressWarnings("exports") // an annotation for tools, which users need not have
public final class InMemoryStore {
    private final MovableClock clock = new MovableClock();
    private final LockTable table = new LockTable(clock);

    /** Makes a store without holds. */
    public InMemoryStore() {}

    /**
     * Makes a connection for one client.
     *
     * @return a new backend
     */
    public InMemoryBackend connect() {
        return new InMemoryBackend(table, clock);
    }

    /**
     * Lets time pass for the store and its clients. When this returns, everything that was due has run: renewals,
     * losses, timeouts of waits, and the listeners and futures that depend on them, except those that take more than a
     * second of real time. Blocked acquires that have ended are awake, but their threads may not have continued yet.
     *
     * @param time how long, not negative
     * @throws IllegalArgumentException if it is negative
     */
    public void advance(Duration time) {
        clock.advance(notNegative(time));
    }

    /**
     * Lets time pass in which no client can do anything, as if a process was stopped or a machine suspended. Holds that
     * were due for renewal meanwhile are lost. Waits for what is due at the end, as {@link #advance} does.
     *
     * @param time how long, not negative
     * @throws IllegalArgumentException if it is negative
     */
    public void jump(Duration time) {
        clock.jump(notNegative(time));
    }

    /**
     * Sets only the wall clock forward or back, as an operator or a time service would.
     *
     * @param time how far; negative is back
     */
    public void jumpWallClock(Duration time) {
        clock.jumpWallClock(requireNonNull(time, "time"));
    }

    /**
     * Ends all present holds of a lock, and notifies the holders' clients at once.
     *
     * @param name the lock's name
     * @return whether there was a hold
     */
    @CanIgnoreReturnValue
    public boolean lose(String name) {
        return !table.remove(requireNonNull(name, "name"), OptionalLong.empty(), true)
                .isEmpty();
    }

    /**
     * Ends all present holds of a lock without a notification. The holders notice at their next renewals.
     *
     * @param name the lock's name
     * @return whether there was a hold
     */
    @CanIgnoreReturnValue
    public boolean delete(String name) {
        return !table.remove(requireNonNull(name, "name"), OptionalLong.empty(), false)
                .isEmpty();
    }

    /**
     * Returns how many locks are held or waited for.
     *
     * @return zero if nothing is left
     */
    public int size() {
        return table.size();
    }

    /**
     * Returns the clock of this store and its clients.
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

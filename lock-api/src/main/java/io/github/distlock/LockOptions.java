package io.github.distlock;

import io.github.distlock.engine.Checks;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the acquires of a lock ask for. Immutable: each method returns a changed copy.
 *
 * <p>By default a lease has 30 s and is renewed while the handle is open, a hold has no maximum, and waiters of one
 * client hand the lock to each other for a short time before the store's queue decides again.
 */
public final class LockOptions {
    private static final LockOptions DEFAULTS =
            new LockOptions(Duration.ofSeconds(30), true, false, false, null, null, null, false, null);

    private final Duration lease;
    private final boolean leaseRenewed;
    private final boolean fair;
    private final boolean sticky;
    private final @Nullable Duration maximumHold;
    private final @Nullable Duration minimumHold;
    private final @Nullable Duration minimumValidity;
    private final boolean interruptsOnLoss;
    private final @Nullable Duration lockDelay;

    private LockOptions(
            Duration lease,
            boolean leaseRenewed,
            boolean fair,
            boolean sticky,
            @Nullable Duration maximumHold,
            @Nullable Duration minimumHold,
            @Nullable Duration minimumValidity,
            boolean interruptsOnLoss,
            @Nullable Duration lockDelay) {
        requireNotLonger("minimumHold", minimumHold, maximumHold, "maximumHold");
        requireNotLonger("minimumHold", minimumHold, leaseRenewed ? null : lease, "fixedLease");
        requireNotLonger("minimumValidity", minimumValidity, maximumHold, "maximumHold");
        requireNotSticky(sticky && fair, "be fair: an acquire without a request overtakes those in the store's queue");
        requireNotSticky(sticky && !leaseRenewed, "have a fixedLease: its next hold would get only the rest of it");
        requireNotSticky(sticky && minimumHold != null, "have a minimumHold: its release must reach the store");
        requireNotSticky(sticky && lockDelay != null, "have a lockDelay: the store would keep a dormant hold, too");
        this.lease = lease;
        this.leaseRenewed = leaseRenewed;
        this.fair = fair;
        this.sticky = sticky;
        this.maximumHold = maximumHold;
        this.minimumHold = minimumHold;
        this.minimumValidity = minimumValidity;
        this.interruptsOnLoss = interruptsOnLoss;
        this.lockDelay = lockDelay;
    }

    private static void requireNotLonger(
            String minimum, @Nullable Duration least, @Nullable Duration most, String parameter) {
        if (least != null && most != null && least.compareTo(most) > 0) {
            throw new IllegalArgumentException(minimum + " must not be longer than " + parameter + ", but was " + least
                    + ", and " + parameter + " was " + most);
        }
    }

    private static void requireNotSticky(boolean isBoth, String other) {
        if (isBoth) {
            throw new IllegalArgumentException("a sticky lock must not " + other);
        }
    }

    /**
     * Returns the defaults.
     *
     * @return options to start from
     */
    public static LockOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Sets a lease that is renewed at a third of its length while the handle is open. Its length is how long a crashed
     * holder blocks other clients, and for how long a holder survives an outage of the store.
     *
     * @param lease at least the store's minimum (100 ms on most), at most 24 h
     * @return changed options
     * @throws IllegalArgumentException if it is not positive or longer than 24 h; {@link LockClient#lock} checks the
     *     store's minimum
     */
    public LockOptions renewedLease(Duration lease) {
        return new LockOptions(
                Checks.lease(lease),
                true,
                fair,
                sticky,
                maximumHold,
                minimumHold,
                minimumValidity,
                interruptsOnLoss,
                lockDelay);
    }

    /**
     * Sets a lease that is not renewed. The hold ends by itself, as lost with {@link LossReason#LEASE_ENDED}, before
     * this time is over: by the allowance for clocks.
     *
     * @param lease at least the store's minimum (100 ms on most), at most 24 h
     * @return changed options
     * @throws IllegalArgumentException as for {@link #renewedLease}, or if it is shorter than the
     *     {@linkplain #minimumHold(Duration) minimum hold}, or the lock is {@linkplain #sticky() sticky}
     */
    public LockOptions fixedLease(Duration lease) {
        return new LockOptions(
                Checks.lease(lease),
                false,
                fair,
                sticky,
                maximumHold,
                minimumHold,
                minimumValidity,
                interruptsOnLoss,
                lockDelay);
    }

    /**
     * Gives each waiter an entry in the store's queue, so that grants are first come, first served among all clients,
     * if all clients of the name ask for this. Each grant then costs a handoff through the store.
     *
     * <p>The store decides which waiter came first: a waiter comes when the store first answers that the lock is busy.
     * Two acquires that ask at the same time may come in either order, also if one thread has started both
     * asynchronously.
     *
     * @return changed options
     * @throws IllegalArgumentException if the lock is {@linkplain #sticky() sticky}
     */
    public LockOptions fair() {
        return new LockOptions(
                lease,
                leaseRenewed,
                true,
                sticky,
                maximumHold,
                minimumHold,
                minimumValidity,
                interruptsOnLoss,
                lockDelay);
    }

    /**
     * Keeps the client's hold at the store for up to a second after each release, so that the client's next acquire
     * needs no request. Use it if one client at a time acquires the lock again and again.
     *
     * <p>A release ends the hold for its caller at once. While no caller of this client holds the lock, the client's
     * hold at the store is <em>dormant</em>. The client gives it back after a second without an acquire, or when
     * the client is closed. It also gives it back as soon as the store answers another client that the lock is busy. A
     * waiter of the other client is then granted the lock at once. A single try succeeds when its caller repeats it.
     * Each reacquire has a greater token. After 255 reacquires, or 10 s after the grant, a release goes to the store.
     *
     * <p>What this costs:
     *
     * <ul>
     *   <li>A client that crashes keeps others out until its lease has ended, even if it had released the lock. A
     *       shorter {@linkplain #renewedLease lease} shortens this time.
     *   <li>A single try of another client finds a dormant hold busy once.
     *   <li>{@link LockHandle#release} cannot report that the store had lost the hold, because it sends no request.
     *   <li>An inspector shows a dormant hold like any other.
     *   <li>The client does not notice programs that share the key of the lock without this library. They wait until it
     *       gives its hold back for another reason.
     *   <li>A single try of the same client waits while the client gives a dormant hold back. It can find the lock busy
     *       if the store does not answer this.
     * </ul>
     *
     * <p>It is for plain locks. The {@link LockClient} refuses a read-write lock or a semaphore that is sticky. It also
     * refuses a sticky lock if the store cannot notify the client of other clients. While the client's connection for
     * messages is down, each release goes to the store.
     *
     * @return changed options
     * @throws IllegalArgumentException if the lock is {@linkplain #fair() fair} or has a {@linkplain #fixedLease fixed
     *     lease}, a {@linkplain #minimumHold(Duration) minimum hold} or a {@linkplain #lockDelay(Duration) lock delay}
     */
    public LockOptions sticky() {
        return new LockOptions(
                lease,
                leaseRenewed,
                fair,
                true,
                maximumHold,
                minimumHold,
                minimumValidity,
                interruptsOnLoss,
                lockDelay);
    }

    /**
     * Bounds a hold, however often its lease is renewed. Then it ends as lost with {@link LossReason#MAXIMUM_HOLD}. Use
     * it for holders that may hang.
     *
     * @param time positive; more than 100 years counts as 100 years
     * @return changed options
     * @throws IllegalArgumentException if it is not positive, or shorter than the
     *     {@linkplain #minimumHold(Duration) minimum hold} or the {@linkplain #minimumValidity(Duration) minimum
     *     validity}
     */
    public LockOptions maximumHold(Duration time) {
        return new LockOptions(
                lease,
                leaseRenewed,
                fair,
                sticky,
                positive(time),
                minimumHold,
                minimumValidity,
                interruptsOnLoss,
                lockDelay);
    }

    /**
     * Keeps the lock busy until this time after the grant, also if its holder releases it earlier. Use it for a
     * scheduled job that several processes start: one that starts late, or by a clock that is behind, does not run the
     * job again.
     *
     * <p>A release ends the hold at once, as always, and the store keeps the lock for the rest of the time. Nobody is
     * granted it meanwhile, and it stays kept if the client is closed or its process ends. Waiters are granted it
     * afterwards, in their order. A new acquire of the releasing client waits, too.
     *
     * <p>It is for plain locks. A read-write lock or a semaphore with a minimum hold is refused.
     *
     * <p>Only a release keeps the lock. If the holder crashes, or its hold is lost, the lock is free when its lease and
     * its {@linkplain #lockDelay(Duration) lock delay} have ended, even if that is earlier. A release that cannot reach
     * the store before the lease ends keeps nothing. If the lock must stay busy after a crash as well, use a lease that
     * is not shorter than this time.
     *
     * @param time positive, at most 24 h, and not longer than a {@linkplain #fixedLease fixed lease} or the
     *     {@linkplain #maximumHold(Duration) maximum hold}
     * @return changed options
     * @throws IllegalArgumentException if it is not, or the lock is {@linkplain #sticky() sticky}
     */
    public LockOptions minimumHold(Duration time) {
        Duration checked = Checks.duration(time, "time", Duration.ofNanos(1), Checks.LONGEST_LEASE);
        return new LockOptions(
                lease, leaseRenewed, fair, sticky, maximumHold, checked, minimumValidity, interruptsOnLoss, lockDelay);
    }

    /**
     * Interrupts the thread that has acquired a hold, as by {@link Thread#interrupt}, if the hold is lost while the
     * thread has it. Use it for work that checks for interrupts, or waits, and does not check its lock.
     *
     * <p>The interrupt comes within a second of the loss while the process runs. It comes at most once for each hold.
     * If several locks are acquired together, it comes once for each of them that is lost. It does not come after
     * {@link LockHandle#release}, {@link LockHandle#close}, {@link LockHandle#detach}, or the last
     * {@link ThreadOwnedLock#unlock} has returned on that thread. If another thread ends the hold, an interrupt that is
     * under way may still arrive. A thread that closes its own {@link LockClient} is not interrupted for that.
     *
     * <p>The client never clears the interrupt flag. The thread may still have it after it has released the lock, and
     * its next method that waits then throws. Code that catches the {@link InterruptedException} can look whether
     * {@link LockHandle#isHeld} returns false.
     *
     * <p>A thread that passes its hold on to other work {@linkplain LockHandle#detach() detaches} it. A reentrant
     * acquire that joins a hold of its thread changes nothing. The read hold of a downgrade belongs to the thread that
     * downgrades. Asynchronous acquires throw {@link UnsupportedOperationException}, since they have no thread: use
     * {@link LockHandle#cancelOnLoss}.
     *
     * <p>In a structured task scope (a preview of Java 25), the owner waits in {@code join()}. The interrupt ends this,
     * and the end of the scope then cancels its subtasks:
     *
     * <pre>{@code
     * try (LockHandle held = lock.acquire();
     *         var scope = StructuredTaskScope.open()) {
     *     scope.fork(() -> copy(held.fencingToken()));
     *     scope.join();
     * }
     * }</pre>
     *
     * @return changed options
     */
    public LockOptions interruptOnLoss() {
        return new LockOptions(
                lease, leaseRenewed, fair, sticky, maximumHold, minimumHold, minimumValidity, true, lockDelay);
    }

    /**
     * Demands that at least this much validity is left when an acquire returns a hold. Use it if the work begins with a
     * step that cannot be interrupted and that takes a known time. An acquire that is granted less renews the lease
     * once. If that is not enough, it gives the lock back, and asks again as long as it may wait. A
     * {@linkplain DistributedLock#tryAcquire() single try} throws a {@link LockException} then. On ZooKeeper, each
     * acquire does so after its first grant if the servers keep a silent session for less than that.
     *
     * <p>Waiters of one client hand the lock to each other only while this much is left. A
     * {@linkplain DistributedLock#reentrant() reentrant} acquire {@linkplain LockHandle#ensure ensures} it.
     *
     * @param time positive; less than what the allowance for clocks leaves of the lease, and not longer than the
     *     {@linkplain #maximumHold(Duration) maximum hold}
     * @return changed options
     * @throws IllegalArgumentException if it is not positive, or longer than the maximum hold;
     *     {@link LockClient#lock} checks what is left of the lease
     */
    public LockOptions minimumValidity(Duration time) {
        return new LockOptions(
                lease,
                leaseRenewed,
                fair,
                sticky,
                maximumHold,
                minimumHold,
                positive(time),
                interruptsOnLoss,
                lockDelay);
    }

    private static Duration positive(Duration time) {
        Objects.requireNonNull(time, "time");
        if (time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException("time must be positive, but was " + time);
        }
        return time;
    }

    /**
     * Keeps the lock busy for this time after a hold was lost, so that requests that the lost holder has under way can
     * arrive before the next holder's. Use it if a resource cannot check {@linkplain LockHandle#fencingToken fencing
     * tokens}. A token protects against requests of any delay, and this only against those that take no longer.
     *
     * <p>A hold is lost if it ends in another way than by its release: its client crashes, pauses or is cut off, its
     * lease is not renewed, its {@linkplain #maximumHold(Duration) maximum hold} or {@linkplain #fixedLease fixed
     * lease} is over, or its client is closed. The same applies to a hold whose handle was dropped without being
     * closed. Nobody is granted the lock, the lost holder's client included, before this time has passed since the last
     * moment at which {@link LockHandle#isHeld} could return true. A crashed holder's lock is free this time later than
     * without a lock delay.
     *
     * <p>A release frees the lock at once, or hands it to a waiter. If the release reaches the store only when the hold
     * is lost, its outcome is {@link LockHandle.Release#LOST}, and the delay applies. A grant that no caller gets has
     * no delay unless its client crashes. A {@linkplain LockInspector#forceRelease(String) forced release} frees the
     * lock at once, also during the delay: the operator decides. If the store itself loses the lock, such as by a
     * deleted key, there is no delay.
     *
     * <p>It is for plain locks. A read-write lock or a semaphore with a lock delay is refused.
     *
     * @param time positive, at most one minute; on some stores, the lease and this time together must not be longer
     *     than the longest lease, which {@link LockClient#lock} checks
     * @return changed options
     * @throws IllegalArgumentException if it is not, or the lock is {@linkplain #sticky() sticky}
     */
    public LockOptions lockDelay(Duration time) {
        Duration checked = Checks.duration(time, "time", Duration.ofNanos(1), Checks.LONGEST_LOCK_DELAY);
        return new LockOptions(
                lease,
                leaseRenewed,
                fair,
                sticky,
                maximumHold,
                minimumHold,
                minimumValidity,
                interruptsOnLoss,
                checked);
    }

    /**
     * Returns the length of the lease.
     *
     * @return 30 s unless set
     */
    public Duration lease() {
        return lease;
    }

    /**
     * Returns whether the lease is renewed.
     *
     * @return true unless set by {@link #fixedLease}
     */
    public boolean isLeaseRenewed() {
        return leaseRenewed;
    }

    /**
     * Returns whether each waiter has an entry in the store's queue.
     *
     * @return false unless set by {@link #fair()}
     */
    public boolean isFair() {
        return fair;
    }

    /**
     * Returns whether the client keeps its hold at the store for up to a second after each release.
     *
     * @return false unless set by {@link #sticky()}
     */
    public boolean isSticky() {
        return sticky;
    }

    /**
     * Returns the bound of a hold.
     *
     * @return empty unless set by {@link #maximumHold(Duration)}
     */
    public Optional<Duration> maximumHold() {
        return Optional.ofNullable(maximumHold);
    }

    /**
     * Returns how long the lock is busy after a grant at least, if its holder releases it.
     *
     * @return empty unless set by {@link #minimumHold(Duration)}
     */
    public Optional<Duration> minimumHold() {
        return Optional.ofNullable(minimumHold);
    }

    /**
     * Returns how much validity is left at least when an acquire returns a hold.
     *
     * @return empty unless set by {@link #minimumValidity(Duration)}
     */
    public Optional<Duration> minimumValidity() {
        return Optional.ofNullable(minimumValidity);
    }

    /**
     * Returns whether the thread that has acquired a hold is interrupted if the hold is lost.
     *
     * @return false unless set by {@link #interruptOnLoss()}
     */
    public boolean interruptsOnLoss() {
        return interruptsOnLoss;
    }

    /**
     * Returns how long the lock is busy after a hold was lost.
     *
     * @return empty unless set by {@link #lockDelay(Duration)}
     */
    public Optional<Duration> lockDelay() {
        return Optional.ofNullable(lockDelay);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockOptions that
                && that.lease.equals(lease)
                && that.leaseRenewed == leaseRenewed
                && that.fair == fair
                && that.sticky == sticky
                && Objects.equals(that.maximumHold, maximumHold)
                && Objects.equals(that.minimumHold, minimumHold)
                && Objects.equals(that.minimumValidity, minimumValidity)
                && that.interruptsOnLoss == interruptsOnLoss
                && Objects.equals(that.lockDelay, lockDelay);
    }

    @Override
    public int hashCode() {
        return Objects.hash(
                lease,
                leaseRenewed,
                fair,
                sticky,
                maximumHold,
                minimumHold,
                minimumValidity,
                interruptsOnLoss,
                lockDelay);
    }

    @Override
    public String toString() {
        return (leaseRenewed ? "renewed" : "fixed") + " lease of " + lease
                + (fair ? ", fair" : "")
                + (sticky ? ", sticky" : "")
                + (maximumHold == null ? "" : ", at most " + maximumHold)
                + (minimumHold == null ? "" : ", at least " + minimumHold)
                + (minimumValidity == null ? "" : ", granted with at least " + minimumValidity)
                + (interruptsOnLoss ? ", interrupts on loss" : "")
                + (lockDelay == null ? "" : ", lock delay of " + lockDelay);
    }
}

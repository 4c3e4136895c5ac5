package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.LockStatus;
import io.github.distlock.LossReason;
import io.github.distlock.ThreadOwnedLock;
import io.github.distlock.spi.LockMode;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The interface {@link ReadWriteLock} as the JDK specifies it. The first tests run once against the JDK's own lock,
 * which shows that they ask for nothing else, and once against the view.
 */
@SuppressWarnings("LockNotBeforeTry") // The tests are about what the pattern does.
class ReadWriteViewTest extends EngineTest {
    private final DistributedReadWriteLock shared = client.readWriteLock("a");
    private final ReadWriteLock view = shared.asReadWriteLock();

    /** The two implementations. */
    enum Kind {
        JDK,
        DISTRIBUTED
    }

    private Pair pairOf(Kind kind) {
        ReadWriteLock tested = kind == Kind.JDK ? new ReentrantReadWriteLock(true) : view;
        return new Pair(tested.readLock(), tested.writeLock());
    }

    private record Pair(Lock read, Lock write) {}

    private static boolean canLock(Lock lock) throws Exception {
        return onAnotherThread(() -> {
            boolean locked = lock.tryLock();
            if (locked) {
                lock.unlock();
            }
            return locked;
        });
    }

    private static <T> Task<T> startParked(Callable<T> call) {
        Task<T> waiter = start(call);
        Await.until(
                "it waits",
                () -> waiter.thread.getState() == Thread.State.WAITING
                        || waiter.thread.getState() == Thread.State.TIMED_WAITING);
        return waiter;
    }

    private static Task<Boolean> startLocking(Lock lock) {
        return startParked(() -> {
            lock.lock();
            lock.unlock();
            return Thread.interrupted();
        });
    }

    @ParameterizedTest
    @EnumSource
    void s9_readersShareAndExcludeWriters(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        tested.read.lock();

        assertThat(canLock(tested.read)).isTrue();
        assertThat(canLock(tested.write)).isFalse();

        tested.read.unlock();
        assertThat(canLock(tested.write)).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void s9_aWriterExcludesReadersAndWriters(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        tested.write.lock();

        assertThat(canLock(tested.read)).isFalse();
        assertThat(canLock(tested.write)).isFalse();

        tested.write.unlock();
        assertThat(canLock(tested.read)).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void s4_bothLocksMayBeLockedAgainAndMustBeUnlockedAsOften(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        for (Lock lock : new Lock[] {tested.read, tested.write}) {
            lock.lock();
            lock.lockInterruptibly();
            assertThat(lock.tryLock()).isTrue();
            assertThat(lock.tryLock(1, TimeUnit.SECONDS)).isTrue();
            for (int i = 0; i < 3; i++) {
                lock.unlock();
                assertThat(canLock(tested.write)).isFalse();
            }
            lock.unlock();
            assertThat(canLock(tested.write)).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void s5_onlyTheOwnerUnlocks(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        for (Lock lock : new Lock[] {tested.read, tested.write}) {
            assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
        }
        tested.write.lock();
        assertFails(start(() -> {
                    tested.write.unlock();
                    return null;
                }))
                .isInstanceOf(IllegalMonitorStateException.class);
        assertThatThrownBy(tested.read::unlock).isInstanceOf(IllegalMonitorStateException.class);
        tested.write.unlock();
    }

    @ParameterizedTest
    @EnumSource
    void s9_aThreadThatWritesMayReadAndKeepsThatWhenItUnlocksTheWriteLock(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        tested.write.lock();
        tested.read.lock();
        tested.read.lock();
        assertThat(canLock(tested.read)).isFalse();

        tested.write.unlock();

        assertThat(canLock(tested.read)).isTrue();
        assertThat(canLock(tested.write)).isFalse();
        tested.read.unlock();
        assertThat(canLock(tested.write)).isFalse();
        tested.read.unlock();
        assertThat(canLock(tested.write)).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void s9_aReadLockOfAWriterMayEndFirst(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        tested.write.lock();
        assertThat(tested.read.tryLock()).isTrue();
        tested.read.unlock();
        assertThat(tested.read.tryLock(1, TimeUnit.SECONDS)).isTrue();
        tested.read.unlock();

        assertThat(canLock(tested.read)).isFalse();
        tested.write.unlock();
        assertThat(canLock(tested.write)).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void v10_aReaderWaitsBehindAWriterThatWaits(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        tested.write.lock();
        Task<Boolean> writer = startLocking(tested.write);
        Task<Boolean> reader = startLocking(tested.read);

        tested.write.unlock();

        get(writer);
        get(reader);
    }

    @ParameterizedTest
    @EnumSource
    void v7_lockKeepsTheInterruptFlag(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        tested.write.lock();
        Task<Boolean> reader = startLocking(tested.read);
        reader.thread.interrupt();

        tested.write.unlock();

        assertThat(get(reader)).as("its interrupt flag").isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void v7_anInterruptEndsTheOtherWaits(Kind kind) throws Exception {
        Pair tested = pairOf(kind);
        tested.write.lock();
        Task<Boolean> reader = startParked(() -> {
            tested.read.lockInterruptibly();
            return true;
        });
        Task<Boolean> writer = startParked(() -> tested.write.tryLock(1, TimeUnit.MINUTES));

        reader.thread.interrupt();
        writer.thread.interrupt();

        assertFails(reader).isInstanceOf(InterruptedException.class);
        assertFails(writer).isInstanceOf(InterruptedException.class);
        tested.write.unlock();
        assertThat(onAnotherThread(() -> tested.write.tryLock(1, TimeUnit.MINUTES)))
                .isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void api_aReadLockHasNoConditions(Kind kind) {
        Pair tested = pairOf(kind);
        assertThatThrownBy(tested.read::newCondition).isInstanceOf(UnsupportedOperationException.class);
    }

    // Ours

    @Test
    void api_aWriteLockHasNoConditions() {
        assertThatThrownBy(view.writeLock()::newCondition).isInstanceOf(UnsupportedOperationException.class);
        assertThat(view).hasToString(shared + " as a java.util.concurrent.locks.ReadWriteLock");
    }

    @Test
    void s9_anUpgradeIsRefusedWhereTheJdkWaitsForever() {
        view.readLock().lock();

        assertThatThrownBy(view.writeLock()::lock)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("holds the read lock");
        assertThatThrownBy(view.writeLock()::tryLock).isInstanceOf(IllegalStateException.class);

        view.readLock().unlock();
    }

    @Test
    void s9_aReadLockOfAWriterAsksNobodyAndADowngradeOnce() throws Exception {
        view.writeLock().lock();
        int requests = backend.requests.get();

        view.readLock().lock();
        long token = ((ThreadOwnedLock) view.readLock()).fencingToken();

        assertThat(((ThreadOwnedLock) view.writeLock()).fencingToken()).isEqualTo(token);
        assertThat(backend.requests).hasValue(requests);
        view.writeLock().unlock();
        assertThat(((ThreadOwnedLock) view.readLock()).fencingToken()).isEqualTo(token);
        assertThat(other.inspector().inspect("a").holders())
                .extracting(LockStatus.Holder::mode)
                .containsExactly(LockMode.READ);
        view.readLock().unlock();
        expectNothingLeft();
    }

    @Test
    void s4_holdsAreSharedWithTheViewsOfBothLocks() throws Exception {
        view.readLock().lock();
        try (LockHandle inner = shared.readLock().reentrant().acquire()) {
            assertThat(inner.fencingToken()).isEqualTo(((ThreadOwnedLock) view.readLock()).fencingToken());
            view.readLock().unlock();
            assertThat(inner.isHeld()).isTrue();
        }
        expectNothingLeft();

        view.writeLock().lock();
        assertThat(shared.writeLock().asLock().isHeldByCurrentThread()).isTrue();
        assertThat(shared.readLock().asLock().isHeldByCurrentThread()).isFalse();
        view.writeLock().unlock();
        expectNothingLeft();
    }

    @Test
    void s4_aHandleOfABorrowedReadHoldFollowsTheDowngrade() throws Exception {
        view.writeLock().lock();
        view.readLock().lock();
        LockHandle reading = shared.readLock().reentrant().acquire();
        var losses = losses(reading);
        view.readLock().unlock();
        assertThat(reading.remaining()).isPositive();

        view.writeLock().unlock();
        assertThat(reading.isHeld()).isTrue();
        store.lose("a");

        expectLoss(LossReason.GONE, losses);
        assertThat(reading.release()).isEqualTo(LockHandle.Release.LOST);
        expectNothingLeft();
    }

    @Test
    void s4_aDetachedHandleOfABorrowedReadHoldFollowsTheDowngradeToo() throws Exception {
        view.writeLock().lock();
        view.readLock().lock();
        LockHandle passedOn = shared.readLock().reentrant().acquire();
        passedOn.detach();
        view.readLock().unlock();

        view.writeLock().unlock();

        assertThat(passedOn.isHeld()).isTrue();
        passedOn.close();
        expectNothingLeft();
    }

    @Test
    void s9_closingAHandleOfABorrowedReadHoldKeepsTheWriteHold() throws Exception {
        view.writeLock().lock();
        view.readLock().lock();
        LockHandle reading = shared.readLock().reentrant().acquire();
        view.readLock().unlock();

        reading.close();

        assertThat(((ThreadOwnedLock) view.writeLock()).isHeldByCurrentThread()).isTrue();
        assertThat(canLock(view.readLock())).isFalse();
        view.writeLock().unlock();
        expectNothingLeft();
    }

    @Test
    void s6_bothUnlocksOfALostWriteHoldSaySo() {
        view.writeLock().lock();
        view.readLock().lock();
        store.lose("a");

        assertThatThrownBy(view.writeLock()::unlock).isInstanceOf(LockLostException.class);
        assertThatThrownBy(view.readLock()::unlock).isInstanceOf(LockLostException.class);

        assertThat(view.writeLock().tryLock()).isTrue();
        view.writeLock().unlock();
    }
}

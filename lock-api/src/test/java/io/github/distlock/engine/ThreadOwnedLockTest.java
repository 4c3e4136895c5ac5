package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.ThreadOwnedLock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The interface {@link Lock} as its Javadoc specifies it. The first tests run once against the JDK's own lock, which
 * shows that they ask for nothing else, and once against the view.
 */
@SuppressWarnings("LockNotBeforeTry") // The tests are about what the pattern does.
class ThreadOwnedLockTest extends EngineTest {
    private final ThreadOwnedLock view = lock.asLock();

    /** The two implementations. */
    enum Kind {
        JDK,
        DISTRIBUTED
    }

    private Lock lockOf(Kind kind) {
        return kind == Kind.JDK ? new ReentrantLock() : view;
    }

    private static boolean isFree(Lock lock) throws Exception {
        return get(start(() -> {
            boolean locked = lock.tryLock();
            if (locked) {
                lock.unlock();
            }
            return locked;
        }));
    }

    private static Task<Boolean> startLocking(Lock lock) {
        Task<Boolean> waiter = start(() -> {
            lock.lock();
            try {
                return Thread.currentThread().isInterrupted();
            } finally {
                lock.unlock();
            }
        });
        awaitParked(waiter);
        return waiter;
    }

    private static void awaitParked(Task<?> waiter) {
        Await.until(
                "it waits",
                () -> waiter.thread.getState() == Thread.State.WAITING
                        || waiter.thread.getState() == Thread.State.TIMED_WAITING);
    }

    @ParameterizedTest
    @EnumSource
    void s4_aThreadMayLockAgainAndMustUnlockAsOften(Kind kind) throws Exception {
        Lock tested = lockOf(kind);
        tested.lockInterruptibly();
        tested.lock();
        assertThat(tested.tryLock()).isTrue();
        assertThat(tested.tryLock(1, TimeUnit.SECONDS)).isTrue();
        for (int i = 0; i < 3; i++) {
            tested.unlock();
            assertThat(isFree(tested)).isFalse();
        }

        tested.unlock();

        assertThat(isFree(tested)).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void s5_onlyTheOwnerUnlocks(Kind kind) throws Exception {
        Lock tested = lockOf(kind);
        assertThatThrownBy(tested::unlock).isInstanceOf(IllegalMonitorStateException.class);
        tested.lock();

        assertFails(start(() -> {
                    tested.unlock();
                    return null;
                }))
                .isInstanceOf(IllegalMonitorStateException.class);

        assertThat(isFree(tested)).isFalse();
        tested.unlock();
        assertThatThrownBy(tested::unlock).isInstanceOf(IllegalMonitorStateException.class);
    }

    @ParameterizedTest
    @EnumSource
    void v7_lockKeepsTheInterruptFlag(Kind kind) throws Exception {
        Lock tested = lockOf(kind);
        tested.lock();
        Task<Boolean> waiter = startLocking(tested);
        waiter.thread.interrupt();

        tested.unlock();

        assertThat(get(waiter)).as("its interrupt flag").isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void v7_anInterruptEndsTheOtherWaits(Kind kind) throws Exception {
        Lock tested = lockOf(kind);
        tested.lock();
        Task<Boolean> waiter = start(() -> {
            tested.lockInterruptibly();
            return true;
        });
        Task<Boolean> timed = start(() -> tested.tryLock(1, TimeUnit.MINUTES));
        awaitParked(waiter);
        awaitParked(timed);

        waiter.thread.interrupt();
        timed.thread.interrupt();

        assertFails(waiter).isInstanceOf(InterruptedException.class);
        assertFails(timed).isInstanceOf(InterruptedException.class);
        tested.unlock();
        // The client withdraws the queue entry of the waiters in the background.
        assertThat(onAnotherThread(() -> tested.tryLock(1, TimeUnit.MINUTES))).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void v7_anInterruptedThreadDoesNotEvenEnterAgain(Kind kind) {
        Lock tested = lockOf(kind);
        tested.lock();

        Thread.currentThread().interrupt();
        assertThatThrownBy(tested::lockInterruptibly).isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> tested.tryLock(1, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
        Thread.currentThread().interrupt();
        assertThat(tested.tryLock()).isTrue();

        assertThat(Thread.interrupted()).isTrue();
        tested.unlock();
        tested.unlock();
    }

    @ParameterizedTest
    @EnumSource
    void v4_aBusyLockIsNotWaitedForLongerThanAsked(Kind kind) throws Exception {
        Lock tested = lockOf(kind);
        tested.lock();

        assertThat(onAnotherThread(tested::tryLock)).isFalse();
        assertThat(onAnotherThread(() -> tested.tryLock(-1, TimeUnit.SECONDS))).isFalse();
        assertThat(onAnotherThread(() -> tested.tryLock(300, TimeUnit.MILLISECONDS)))
                .isFalse();

        tested.unlock();
    }

    @ParameterizedTest
    @EnumSource
    void v7_aTimedWaitGetsALockThatBecomesFree(Kind kind) throws Exception {
        Lock tested = lockOf(kind);
        tested.lock();
        Task<Boolean> waiter = start(() -> tested.tryLock(1, TimeUnit.MINUTES));
        awaitParked(waiter);

        tested.unlock();

        assertThat(get(waiter)).isTrue();
    }

    @Test
    void api_itHasNoConditions() {
        assertThatThrownBy(view::newCondition).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void api_itTellsTheOwnerAndItsToken() throws Exception {
        assertThat(view.isHeldByCurrentThread()).isFalse();
        assertThatThrownBy(view::fencingToken)
                .isInstanceOf(IllegalMonitorStateException.class)
                .hasMessageContaining("\"a\"");

        view.lock();

        assertThat(view.isHeldByCurrentThread()).isTrue();
        assertThat(view.fencingToken()).isPositive();
        assertThat(view).hasToString(lock + " as a java.util.concurrent.locks.Lock");
        assertThat(onAnotherThread(view::isHeldByCurrentThread)).isFalse();
        view.unlock();
        assertThat(view.isHeldByCurrentThread()).isFalse();
    }

    @Test
    void s4_itSharesItsHoldsWithTheReentrantView() throws Exception {
        view.lock();
        LockHandle handle = lock.reentrant().acquire();
        assertThat(handle.fencingToken()).isEqualTo(view.fencingToken());

        view.unlock();

        assertThatThrownBy(view::unlock)
                .as("an unlock does not end what a handle holds")
                .isInstanceOf(IllegalMonitorStateException.class);
        assertThat(handle.isHeld()).isTrue();
        handle.close();
        expectNothingLeft();
    }

    @Test
    void s6_anUnlockOfALostHoldSaysSo() throws Exception {
        view.lock();
        view.lock();
        memory.pause();
        store.advance(LEASE);
        memory.resume();

        assertThat(view.isHeldByCurrentThread()).isFalse();
        assertThatThrownBy(view::tryLock).isInstanceOf(LockLostException.class);
        assertThatThrownBy(view::unlock).isInstanceOf(LockLostException.class);
        assertThatThrownBy(view::unlock).isInstanceOf(LockLostException.class);

        assertThat(view.tryLock()).isTrue();
        view.unlock();
    }

    @Test
    void v4_aTryDoesNotReturnFalseIfTheStoreIsSilent() {
        memory.pause();

        assertThatThrownBy(view::tryLock).isInstanceOf(LockException.class).hasMessageContaining("\"a\"");
        assertThatThrownBy(() -> view.tryLock(Duration.ofMillis(300).toMillis(), TimeUnit.MILLISECONDS))
                .isInstanceOf(LockException.class);
    }
}

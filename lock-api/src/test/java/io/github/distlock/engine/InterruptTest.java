package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockInspector;
import io.github.distlock.memory.InMemoryBackend;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An interrupt ends what waits, soon, and nothing else; its flag is never lost. */
class InterruptTest extends EngineTest {

    @ParameterizedTest
    @EnumSource(names = {"BLOCKING", "TIMED"})
    void v7_anInterruptBeforeTheAcquireEndsIt(Way way) {
        Task<Boolean> acquire = startInterrupted(() -> expectInterrupted(way, lock));

        assertThat(acquire).succeedsWithin(LATE).isEqualTo(false);
        assertThat(backend.requests).hasValue(0);
    }

    @ParameterizedTest
    @EnumSource(names = {"BLOCKING", "TIMED"})
    void v7_anInterruptEndsAWaitSoon(Way way) throws Exception {
        List<LockHandle> holds =
                List.of(other.lock("a").acquire(), client.lock("b").acquire());
        List<Task<Boolean>> waiters = List.of(
                startWaiting(() -> expectInterrupted(way, lock)),
                startWaiting(() -> expectInterrupted(way, lock)),
                startWaiting(() -> expectInterrupted(way, client.lock("b"))));

        waiters.forEach(waiter -> waiter.thread.interrupt());

        assertThat(waiters)
                .allSatisfy(waiter -> assertThat(waiter).succeedsWithin(LATE).isEqualTo(false));
        assertThat(holds).allMatch(held -> held.release() == LockHandle.Release.RELEASED);
        expectNothingLeft();
    }

    @Test
    void v7_anInterruptOfAWaitSaysWhatBlockedIt() throws Exception {
        LockHandle before = other.lock("a").acquire();
        backend.blocker = () -> Optional.of("planted");
        Task<LockHandle> waiter = startWaiting(lock::acquire);

        waiter.thread.interrupt();

        assertFails(waiter)
                .isInstanceOf(InterruptedException.class)
                .hasMessage("interrupted while acquiring lock \"a\": planted");
        before.close();
        expectNothingLeft();
    }

    @Test
    void v7_anInterruptBeforeTheFirstAnswerDoesNotSayThatTheLockIsBusy() {
        backend.asking = (contender, deadline) -> {
            new CountDownLatch(1).await();
            throw new AssertionError("not interrupted");
        };
        Task<LockHandle> acquire = start(lock::acquire);
        Await.until("a request is under way", () -> backend.attempts.get() > 0);

        acquire.thread.interrupt();

        assertFails(acquire)
                .isInstanceOf(InterruptedException.class)
                .hasMessage("interrupted while acquiring lock \"a\"");
        expectNothingLeft();
    }

    @Test
    void v7_aReleaseKeepsTheFlag() throws Exception {
        LockHandle held = lock.acquire();

        Task<Boolean> release =
                startInterrupted(() -> assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED));

        assertThat(get(release)).isTrue();
        expectNothingLeft();
    }

    @Test
    void v7_closingAClientKeepsTheFlag() throws Exception {
        LockHandle held = lock.acquire();

        Task<Boolean> close = startInterrupted(client::close);

        assertThat(get(close)).isTrue();
        assertThat(held.state()).isEqualTo(LockHandle.State.LOST);
        expectNothingLeft();
    }

    /** Tells whether the flag is set after a call that begins with it. */
    private static Task<Boolean> startInterrupted(Runnable call) {
        return start(() -> {
            Thread.currentThread().interrupt();
            call.run();
            return Thread.currentThread().isInterrupted();
        });
    }

    /** Tells whether the flag is set besides. */
    @CanIgnoreReturnValue
    private static boolean expectInterrupted(Way way, DistributedLock lock) {
        assertThatThrownBy(() -> way.acquire(lock, LONG)).isInstanceOf(InterruptedException.class);
        return Thread.currentThread().isInterrupted();
    }

    @Test
    void v7_anInterruptEndsAnInspectionAndIsKept() {
        InMemoryBackend paused = store.connect();
        LockInspector inspector = open(LockClient.builder(paused)).inspector();
        paused.pause();
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> inspector.inspect("a"))
                .isInstanceOf(LockException.class)
                .hasCauseInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isTrue();
    }
}

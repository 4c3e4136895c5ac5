package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.github.distlock.AcquireOutcome;
import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHook;
import io.github.distlock.LockLostException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hooks run on the thread that calls, in pairs, and hurt nobody. */
class HookTest extends EngineTest {
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final LockClient hooked = open(settings().hook(new Journal("")));
    private final DistributedLock locked = hooked.lock("a");

    /** Writes down each call, and fails if it comes on a thread of the engine. */
    private class Journal implements LockHook {
        private final String name;

        Journal(String name) {
            this.name = name;
        }

        private void note(String call) {
            String thread = Thread.currentThread().getName();
            calls.add(name + call + (thread.startsWith("distlock-") ? " on thread " + thread : ""));
        }

        @Override
        public void beforeAcquire(String lockName) {
            note("acquire " + lockName);
        }

        @Override
        public void beforeWait(String lockName) {
            note("wait " + lockName);
        }

        @Override
        public void afterAcquire(LockEvent event, AcquireOutcome outcome) {
            note(outcome + " " + event.lockName() + (event.fencingToken() > 0 ? " with a token" : ""));
        }

        @Override
        public void beforeRelease(LockEvent event) {
            note("release " + event.lockName());
        }

        @Override
        public void afterRelease(LockEvent event, Release outcome) {
            note(outcome + " " + event.lockName());
        }
    }

    /** What goes wrong in every method. */
    private record Broken(Throwable thrown) implements LockHook {
        @Override
        public void beforeAcquire(String lockName) {
            Broken.<RuntimeException>fail(thrown);
        }

        @Override
        public void beforeWait(String lockName) {
            Broken.<RuntimeException>fail(thrown);
        }

        @Override
        public void afterAcquire(LockEvent event, AcquireOutcome outcome) {
            Broken.<RuntimeException>fail(thrown);
        }

        @Override
        public void beforeRelease(LockEvent event) {
            Broken.<RuntimeException>fail(thrown);
        }

        @Override
        public void afterRelease(LockEvent event, Release outcome) {
            Broken.<RuntimeException>fail(thrown);
        }

        @SuppressWarnings("unchecked")
        private static <X extends Throwable> void fail(Throwable thrown) throws X {
            throw (X) thrown;
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY", "TIMED", "BLOCKING"})
    void api_hooksRunAroundAnAcquireAndARelease(Way way) throws Exception {
        way.acquire(locked, LONG).orElseThrow().close();

        assertThat(calls).containsExactly("acquire a", "ACQUIRED a with a token", "release a", "RELEASED a");
    }

    @Test
    void api_hooksRunOnceBeforeAWait() throws Exception {
        LockHandle before = other.lock("a").acquire();

        Task<LockHandle> waiter = startWaiting(locked::acquire);
        Await.until("the hook has run", () -> calls.contains("wait a"));
        store.advance(Duration.ofSeconds(20));
        assertThat(calls).containsExactly("acquire a", "wait a");
        before.close();
        get(waiter).close();

        assertThat(calls).containsExactly("acquire a", "wait a", "ACQUIRED a with a token", "release a", "RELEASED a");
    }

    @Test
    void api_hooksLearnTheTimeOfAnAcquireAndOfAHold() throws Exception {
        List<Duration> times = new CopyOnWriteArrayList<>();
        LockClient client = open(settings().hook(new LockHook() {
            @Override
            public void afterAcquire(LockEvent event, AcquireOutcome outcome) {
                times.add(event.duration());
            }

            @Override
            public void beforeRelease(LockEvent event) {
                times.add(event.duration());
            }
        }));
        LockHandle before = other.lock("a").acquire();
        Task<LockHandle> waiter = startWaiting(client.lock("a")::acquire);

        store.advance(Duration.ofSeconds(5));
        before.close();
        LockHandle held = get(waiter);
        store.advance(Duration.ofSeconds(7));
        held.close();

        assertThat(times.get(0)).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(25));
        assertThat(times.get(1)).isBetween(Duration.ofSeconds(7), Duration.ofSeconds(27));
    }

    @Test
    void api_hooksLearnHowAnAcquireFailed() throws Exception {
        LockHandle before = other.lock("a").acquire();
        assertThat(locked.tryAcquire()).isEmpty();
        Task<LockHandle> waiter = startWaiting(locked::acquire);
        waiter.thread.interrupt();
        assertFails(waiter).isInstanceOf(InterruptedException.class);
        before.close();
        backend.asking = (contender, deadline) -> {
            throw new IllegalStateException("planted");
        };
        assertThatThrownBy(locked::tryAcquire).isInstanceOf(LockException.class);

        assertThat(calls)
                .containsExactly(
                        "acquire a", "BUSY a", "acquire a", "wait a", "INTERRUPTED a", "acquire a", "UNAVAILABLE a");
    }

    @Test
    void api_aLostHoldHasHooksOnceAroundItsEnd() throws Exception {
        LockHandle held = locked.acquire();
        store.lose("a");
        store.advance(LEASE);

        assertThatThrownBy(held::close).isInstanceOf(LockLostException.class);
        assertThat(held.release()).isEqualTo(Release.LOST);
        held.close();

        assertThat(calls).containsExactly("acquire a", "ACQUIRED a with a token", "release a", "LOST a");
    }

    @Test
    void api_anAsynchronousReleaseHasHooksOnTheThreadOfItsCall() throws Exception {
        LockHandle held = locked.acquire();

        assertThat(get(held.releaseAsync())).isEqualTo(Release.RELEASED);
        held.close();

        assertThat(calls).containsExactly("acquire a", "ACQUIRED a with a token", "release a", "PENDING a");
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY_ASYNC", "TIMED_ASYNC", "ASYNC"})
    void api_asynchronousAcquiresHaveNoHooks(Way way) throws Exception {
        LockHandle before = other.lock("a").acquire();
        Optional<LockHandle> busy = Way.TRY_ASYNC.acquire(locked, LONG);
        before.close();
        way.acquire(locked, LONG).orElseThrow().close();

        assertThat(busy).isEmpty();
        assertThat(calls).isEmpty();
    }

    @Test
    void api_aDowngradeIsAReleaseAndTheEndOfAnAcquire() throws Exception {
        DistributedReadWriteLock shared = hooked.readWriteLock("a");
        LockHandle writing = shared.writeLock().acquire();

        LockHandle reading = shared.downgrade(writing);
        writing.close();
        reading.close();

        assertThat(calls)
                .containsExactly(
                        "acquire a",
                        "ACQUIRED a with a token",
                        "release a",
                        "RELEASED a",
                        "ACQUIRED a with a token",
                        "release a",
                        "RELEASED a");
    }

    @Test
    void api_theHoldOfAReentrantLockHasHooksOnce() throws Exception {
        DistributedLock reentrant = locked.reentrant();
        try (LockHandle outer = reentrant.acquire();
                LockHandle inner = reentrant.acquire()) {
            assertThat(inner.fencingToken()).isEqualTo(outer.fencingToken());
        }

        assertThat(calls).containsExactly("acquire a", "ACQUIRED a with a token", "release a", "RELEASED a");
    }

    @Test
    void api_eachOfSeveralLocksHasHooks() throws Exception {
        LockHandle before = other.lock("b").acquire();
        assertThat(hooked.allOf(List.of("b", "a")).tryAcquire()).isEmpty();
        before.close();

        assertThat(calls)
                .containsExactly(
                        "acquire a", "ACQUIRED a with a token", "acquire b", "BUSY b", "release a", "RELEASED a");
    }

    @Test
    void api_severalHooksRunInOrderBeforeAndInReverseAfter() throws Exception {
        LockClient client = open(settings().hook(new Journal("1 ")).hook(new Journal("2 ")));

        client.lock("a").acquire().close();

        assertThat(calls)
                .containsExactly(
                        "1 acquire a",
                        "2 acquire a",
                        "2 ACQUIRED a with a token",
                        "1 ACQUIRED a with a token",
                        "1 release a",
                        "2 release a",
                        "2 RELEASED a",
                        "1 RELEASED a");
    }

    @Test
    void api_aHookMayUseAnotherLock() throws Exception {
        LockClient client = open(settings().hook(new LockHook() {
            @Override
            public void beforeWait(String lockName) {
                hooked.lock("of the hook").acquireUninterruptibly().close();
            }
        }));
        LockHandle before = other.lock("a").acquire();

        Task<LockHandle> waiter = startWaiting(client.lock("a")::acquire);
        before.close();

        get(waiter).close();
        assertThat(calls).contains("RELEASED of the hook");
        expectNothingLeft();
    }

    @ParameterizedTest
    @ValueSource(classes = {IllegalStateException.class, InterruptedException.class, AssertionError.class})
    void v8_aHookThatThrowsLosesNoLock(Class<? extends Throwable> broken) throws Exception {
        Throwable thrown = broken.getConstructor().newInstance();
        LockClient client = open(settings().hook(new Broken(thrown)).hook(new Journal("")));
        DistributedReadWriteLock shared = client.readWriteLock("b");
        try (CapturedLog log = new CapturedLog()) {
            LockHandle before = other.lock("a").acquire();
            assertThat(client.lock("a").tryAcquire()).isEmpty();
            Task<LockHandle> waiter = startWaiting(client.lock("a")::acquire);
            before.close();
            LockHandle held = get(waiter);
            assertThat(held.isHeld()).isTrue();
            held.close();
            LockHandle reading = shared.downgrade(shared.writeLock().acquire());
            assertThat(get(reading.releaseAsync())).isEqualTo(Release.RELEASED);

            expectNothingLeft();
            assertThat(calls)
                    .startsWith("acquire a", "BUSY a", "acquire a", "wait a", "ACQUIRED a with a token")
                    .endsWith("release b", "PENDING b");
            Await.until("each failure is logged", () -> failures(log) == 14);
        }
    }

    /** Counts no late lines of clients of other tests, which tell of lost holds. */
    private static long failures(CapturedLog log) {
        return log.at(Level.ERROR).stream()
                .filter(line -> line.endsWith("a task or callback threw"))
                .count();
    }
}

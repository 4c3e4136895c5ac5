package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Dropped handles are noticed and their locks freed, and attempts that are given up leave nothing. */
class LeakTest extends EngineTest {

    @ParameterizedTest
    @EnumSource
    void v9_aDroppedHandleIsReleasedAndReportedOnce(Way way) throws Exception {
        expectOneLeak(way, lock);
    }

    @Test
    void v9_aDroppedFairHandleIsReleasedAndReportedOnce() throws Exception {
        expectOneLeak(Way.BLOCKING, client.lock("a", LockOptions.defaults().fair()));
    }

    @Test
    void v9_aHandleThatIsClosedIsNotReported() throws Exception {
        for (int i = 0; i < 5; i++) {
            lock.acquire().close();
        }

        expectOneLeak(Way.BLOCKING, lock);
    }

    /** The test does what the collector does, because the collector has no bound. */
    @Test
    void v9_aHandleIsReportedWithinASecondOfItsCollection() throws Exception {
        Handle held = (Handle) lock.acquire();
        store.advance(Duration.ofMillis(1));

        assertThat(held.hold().enqueue()).isTrue();
        store.advance(Duration.ofSeconds(1));

        Await.until("the leak is reported", () -> count("leaked") > 0);
        assertThat(event("leaked").event().fencingToken()).isEqualTo(held.fencingToken());
        expectNothingLeft();
    }

    @Test
    void v9_releasesThatHangDelayNoReport() throws Exception {
        LockClient patient = open(settings().requestTimeout(LONG));
        List<LockHandle> others = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            others.add(patient.lock("other" + i).acquire());
        }
        Handle held = (Handle) patient.lock("a").acquire();
        memory.pause();
        others.forEach(LockHandle::releaseAsync);
        store.advance(Duration.ofMillis(1));

        assertThat(held.hold().enqueue()).isTrue();
        store.advance(Duration.ofSeconds(1));

        Await.until("the leak is reported", () -> count("leaked") > 0);
        assertThat(event("leaked").event().lockName()).isEqualTo("a");
        memory.resume();
        expectNothingLeft();
    }

    private void expectOneLeak(Way way, DistributedLock lock) throws Exception {
        long token = drop(way, lock);

        Await.until("the leak is reported", () -> {
            System.gc();
            store.advance(Duration.ofSeconds(1));
            return count("leaked") > 0;
        });

        assertThat(event("leaked").event().fencingToken()).isEqualTo(token);
        expectNothingLeft();
        System.gc();
        store.advance(Duration.ofSeconds(2));
        assertThat(count("leaked")).isOne();
    }

    private static long drop(Way way, DistributedLock lock) throws Exception {
        return way.acquire(lock, LONG).orElseThrow().fencingToken();
    }

    @Test
    void v6_acquiresThatAreGivenUpLeaveNothing() throws Exception {
        LockHandle held = other.lock("a").acquire();
        giveUp(20);
        int threads = threads().size();

        giveUp(80);

        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
        expectNothingLeft();
        Await.until("at most " + threads + " threads", () -> threads().size() <= threads);
    }

    private void giveUp(int times) throws Exception {
        for (int i = 0; i < times; i++) {
            assertThat(lock.tryAcquire()).isEmpty();
            try {
                assertThat(lock.tryAcquire(Duration.ofMillis(1))).isEmpty();
            } catch (LockException e) {
                // So short a wait may be over before the store has answered.
            }
            lock.acquireAsync().cancel(true);
        }
    }
}

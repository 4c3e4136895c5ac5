package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A holder hears once of each fall of its validity, and not after its end. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about single acquires and releases.
class WarningTest extends EngineTest {
    private static final Duration TEN = Duration.ofSeconds(10);

    private final AtomicInteger warned = new AtomicInteger();

    private void expectWarned(int times) {
        Await.until(times + " warnings", () -> warned.get() >= times);
        assertThat(warned).hasValue(times);
    }

    @Test
    void api_aWarningComesOnceWhenLittleIsLeft() throws Exception {
        List<Duration> left = new CopyOnWriteArrayList<>();
        LockHandle held = lock.acquire();
        held.warnBefore(TEN, () -> left.add(held.remaining()));
        memory.pause();

        store.advance(Duration.ofSeconds(17));
        assertThat(left).isEmpty();
        store.advance(Duration.ofSeconds(5));

        Await.until("a warning", () -> !left.isEmpty());
        store.advance(Duration.ofSeconds(5));
        assertThat(left).hasSize(1);
        assertThat(left.get(0)).isBetween(Duration.ofSeconds(8), TEN);
    }

    @Test
    void api_noWarningComesWhileTheHoldIsRenewed() throws Exception {
        LockHandle held = lock.acquire();
        held.warnBefore(TEN, warned::incrementAndGet);

        store.advance(Duration.ofMinutes(5));

        assertThat(held.isHeld()).isTrue();
        assertThat(warned).hasValue(0);
    }

    @Test
    void api_eachFallIsWarnedOf() throws Exception {
        LockHandle held = lock.acquire();
        held.warnBefore(TEN, warned::incrementAndGet);
        memory.pause();
        store.advance(Duration.ofSeconds(22));
        expectWarned(1);

        memory.resume();
        Await.until("it is renewed", () -> {
            store.advance(Duration.ofSeconds(1));
            return held.remaining().compareTo(Duration.ofSeconds(20)) > 0;
        });
        memory.pause();
        store.advance(Duration.ofSeconds(19));

        expectWarned(2);
    }

    @Test
    void api_anExtensionPostponesTheWarning() throws Exception {
        LockHandle held =
                client.lock("a", LockOptions.defaults().fixedLease(LEASE)).acquire();
        held.warnBefore(TEN, warned::incrementAndGet);
        held.extend(LONG);

        store.advance(Duration.ofSeconds(45));
        assertThat(warned).hasValue(0);
        store.advance(Duration.ofSeconds(10));

        expectWarned(1);
    }

    @Test
    void api_aWarningComesAtOnceIfNoMoreIsLeft() throws Exception {
        LockHandle held = lock.acquire();

        held.warnBefore(LONG, warned::incrementAndGet);

        expectWarned(1);
    }

    @Test
    void api_aHoldThatHasEndedIsNotWarned() throws Exception {
        LockHandle released = lock.acquire();
        released.warnBefore(TEN, warned::incrementAndGet);
        released.close();
        released.warnBefore(LONG, warned::incrementAndGet);
        LockHandle lost = lock.acquire();
        lost.warnBefore(TEN, warned::incrementAndGet);
        memory.pause();

        // As a suspended process sees it: the hold has ended before anything could run.
        store.jump(LONG);

        Await.until("the loss is reported", () -> count("lost") == 1);
        store.advance(LONG);
        assertThat(warned).hasValue(0);
    }

    @Test
    void api_aWarningRunsOnTheCallbackExecutorAndMayThrow() throws Exception {
        List<String> threads = new CopyOnWriteArrayList<>();
        LockHandle held = lock.acquire();

        held.warnBefore(LONG, () -> {
            threads.add(Thread.currentThread().getName());
            throw new IllegalStateException("thrown by a warning");
        });

        Await.until("a warning", () -> !threads.isEmpty());
        assertThat(threads.get(0)).contains("-callback");
        assertThat(held.isHeld()).isTrue();
    }

    @Test
    void v9_aWarningDoesNotKeepAHandleThatIsDropped() throws Exception {
        dropWithWarning();

        Await.until("the leak is reported", () -> {
            System.gc();
            store.advance(Duration.ofSeconds(1));
            return count("leaked") > 0;
        });

        assertThat(warned).hasValue(0);
    }

    private void dropWithWarning() throws InterruptedException {
        LockHandle dropped = lock.acquire();
        dropped.warnBefore(TEN, () -> warned.addAndGet(dropped.lockNames().size()));
    }

    @Test
    void api_viewsWarnAsTheirHoldDoes() throws Exception {
        DistributedLock reentrant = lock.reentrant();
        LockHandle outer = reentrant.acquire();
        LockHandle inner = reentrant.acquire();
        inner.warnBefore(TEN, warned::incrementAndGet);
        inner.close();
        outer.warnBefore(TEN, warned::incrementAndGet);
        LockHandle all = client.allOf(List.of("b", "c")).acquire();
        all.warnBefore(TEN, warned::incrementAndGet);
        memory.pause();

        store.advance(Duration.ofSeconds(22));

        expectWarned(3);
    }
}

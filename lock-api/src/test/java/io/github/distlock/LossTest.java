package io.github.distlock;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.spi.ILoggingEvent;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** S6: a loss is told once, whatever its holder does at that moment. */
class LossTest {
    private final InMemoryStore store = new InMemoryStore();
    private final List<LockLoss> told = new CopyOnWriteArrayList<>();

    @Test
    void s6_aLossIsToldThoughItsHolderDropsTheHandleMeanwhile() throws Exception {
        CountDownLatch dropped = new CountDownLatch(1);
        CountDownLatch reported = new CountDownLatch(1);
        CapturedLog log = new CapturedLog() {
            @Override
            protected void append(ILoggingEvent event) {
                if (event.getFormattedMessage().contains("was lost")) {
                    reported.countDown();
                    Await.open(dropped);
                }
            }
        };
        try (log;
                LockClient client = LockClient.create(store.connect())) {
            WeakReference<LockHandle> handle = releaseOnceLost(client, reported);
            for (int i = 0; i < 5 && handle.get() != null; i++) {
                System.gc();
            }
            dropped.countDown();
            Await.until("the loss is told", () -> !told.isEmpty());
            assertThat(told).singleElement().extracting(LockLoss::reason).isEqualTo(LossReason.GONE);
        }
    }

    private WeakReference<LockHandle> releaseOnceLost(LockClient client, CountDownLatch reported) throws Exception {
        LockHandle held = client.lock("a").acquire();
        held.onLost(told::add);
        new Thread(() -> store.lose("a")).start();
        Await.open(reported);
        assertThat(held.release()).isEqualTo(LockHandle.Release.LOST);
        return new WeakReference<>(held);
    }

    @Test
    void s6_aHoldThatExpiresWhileItIsReleasedIsToldAsLost() throws Exception {
        InMemoryBackend memory = store.connect();
        LeapingClock clock = new LeapingClock(memory.clock());
        TestBackend backend = new TestBackend(memory) {
            @Override
            public LockClock clock() {
                return clock;
            }
        };
        try (LockClient client = LockClient.create(backend)) {
            LockHandle held = client.lock("a").acquire();
            held.onLost(told::add);
            clock.leaping = Thread.currentThread();
            assertThat(held.release()).isEqualTo(LockHandle.Release.LOST);
            Await.until("the loss is told", () -> !told.isEmpty());
            assertThat(told).singleElement().extracting(LockLoss::reason).isEqualTo(LossReason.EXPIRED);
        }
    }

    /** Leaps over the end of all leases when a thread first reads the monotonic clock alone, as it does to say how long it held. */
    private final class LeapingClock implements LockClock {
        private final LockClock memory;
        private volatile Thread leaping;

        LeapingClock(LockClock memory) {
            this.memory = memory;
        }

        @Override
        public long nanoTime() {
            if (Thread.currentThread() == leaping) {
                leaping = null;
                store.jump(Duration.ofHours(1));
            }
            return memory.nanoTime();
        }

        @Override
        public long wallMillis() {
            return memory.wallMillis();
        }

        @Override
        public Moment now() {
            return memory.now();
        }

        @Override
        public Parker parker() {
            return memory.parker();
        }

        @Override
        public Runnable track(Runnable work) {
            return memory.track(work);
        }
    }
}

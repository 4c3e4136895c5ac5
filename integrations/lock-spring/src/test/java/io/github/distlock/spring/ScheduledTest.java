package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.memory.InMemoryStore;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Configuration;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;

/** A scheduled job runs in one of two applications, once in each period. */
class ScheduledTest {
    private static final Duration PERIOD = Duration.ofMinutes(1);

    private final InMemoryStore store = new InMemoryStore();
    private final Application one = Application.over(store).start(Scheduling.class, Job.class);
    private final Application other = Application.over(store).start(Scheduling.class, Job.class);

    @AfterEach
    void close() {
        one.close();
        other.close();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableScheduling
    static class Scheduling {}

    /** The schedulers ask often, as two machines whose clocks differ would. The job is quick. */
    static class Job {
        private final AtomicInteger asked = new AtomicInteger();
        private final AtomicInteger runs = new AtomicInteger();

        @Scheduled(fixedRate = 1)
        @DistributedLocked(key = "jobs/nightly", onBusy = OnBusy.SKIP, minimumHold = "1m", maximumHold = "1h")
        public void nightly() {
            assertThat(LockedMethod.currentHandle().isHeld()).isTrue();
            runs.incrementAndGet();
        }

        @Scheduled(fixedRate = 1)
        public void count() {
            asked.incrementAndGet();
        }

        int asked() {
            return asked.get();
        }

        int runs() {
            return runs.get();
        }
    }

    private int runs() {
        return one.bean(Job.class).runs() + other.bean(Job.class).runs();
    }

    private void letBothTry() {
        for (Application each : new Application[] {one, other}) {
            int before = each.bean(Job.class).asked();
            Waiting.until(() -> each.bean(Job.class).asked() >= before + 3);
        }
    }

    @Test
    void s13_aJobRunsOnceInItsMinimumHoldWhoeverTries() {
        Waiting.until(() -> runs() == 1);
        letBothTry();
        assertThat(runs()).isEqualTo(1);

        store.advance(PERIOD.plusSeconds(1));

        Waiting.until(() -> runs() == 2);
        letBothTry();
        assertThat(runs()).isEqualTo(2);
    }
}

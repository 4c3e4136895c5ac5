package io.github.distlock.examples.orders;

import io.github.distlock.spring.DistributedLocked;
import io.github.distlock.spring.OnBusy;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * One report per tick. All instances begin a tick at the same time. The first one to acquire the lock sends the report,
 * and keeps the lock busy for a part of the tick, so that the others skip it.
 */
@Component
class Reports {
    private final AtomicInteger sent = new AtomicInteger();

    @Scheduled(cron = "${orders.report.cron:0 0 3 * * *}")
    @DistributedLocked(key = "reports/daily", onBusy = OnBusy.SKIP, minimumHold = "${orders.report.hold:10m}")
    public void send() {
        sent.incrementAndGet();
    }

    public int sent() {
        return sent.get();
    }
}

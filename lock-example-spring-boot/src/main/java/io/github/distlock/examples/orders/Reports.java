package io.github.distlock.examples.orders;

import io.github.distlock.spring.DistributedLocked;
import io.github.distlock.spring.LockedMethod;
import io.github.distlock.spring.OnBusy;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * One report per tick. All instances begin a tick at the same time. The first one to acquire the lock sends the report,
 * and keeps the lock busy for a part of the tick, so that the others skip it. With {@code orders.report.wait}, the
 * others wait before they skip it. So one of them sends the report if the first one crashes.
 */
@Component
class Reports {
    private final Mail mail;
    private final AtomicInteger sent = new AtomicInteger();

    Reports(Mail mail) {
        this.mail = mail;
    }

    @Scheduled(cron = "${orders.report.cron:0 0 3 * * *}")
    @DistributedLocked(
            key = "reports/daily",
            onBusy = OnBusy.SKIP,
            maxWait = "${orders.report.wait:0s}",
            minimumHold = "${orders.report.hold:10m}")
    public void send() throws InterruptedException {
        mail.send("report " + LockedMethod.currentHandle().fencingToken());
        sent.incrementAndGet();
    }

    public int sent() {
        return sent.get();
    }
}

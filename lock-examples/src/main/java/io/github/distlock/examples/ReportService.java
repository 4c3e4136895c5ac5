package io.github.distlock.examples;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import java.util.ArrayList;
import java.util.List;

/** Shows code that uses a lock and has a unit test, {@code ReportServiceTest}. */
final class ReportService {
    private final DistributedLock lock;
    private final List<String> published = new ArrayList<>();

    ReportService(LockClient locks) {
        lock = locks.lock("report");
    }

    /** Publishes page by page. If the lock is lost between two pages, throws an exception. */
    void publish(List<String> pages, Runnable afterEach) throws InterruptedException {
        try (LockHandle held = lock.acquire()) {
            for (String page : pages) {
                held.ensureHeld();
                published.add(page);
                afterEach.run();
            }
        }
    }

    List<String> published() {
        return List.copyOf(published);
    }
}

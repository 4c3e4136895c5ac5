package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/** Clients that notice too late, do not end when they are closed, or do not keep their owners. */
final class BrokenClients {
    private static final LockOwner NOBODY = LockOwner.of("unknown", 0, "unknown", "unknown");

    private BrokenClients() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug("a loss is reported late", "S6.3", it -> it.clock = LateCallbacks::new),
                new PlantedBug("closing leaves a thread", "V5.9", it -> {
                    AtomicBoolean started = new AtomicBoolean();
                    it.attempt = (contender, deadline) -> {
                        if (started.compareAndSet(false, true)) {
                            Thread left = new Thread(() -> LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(30)));
                            left.setDaemon(true);
                            left.start();
                        }
                        return contender.inner.attempt(deadline);
                    };
                }),
                new PlantedBug("closing does not wait for releases", "V5.3 F3.5", BrokenClients::releaseLater),
                new PlantedBug(
                        "closing releases the first hold of many",
                        "V5.12",
                        it -> it.releaseAll = (grants, deadline) -> {
                            Grant first = grants.iterator().next();
                            var unused = first.release(deadline);
                            return grants.stream()
                                    .collect(Collectors.toMap(grant -> grant, grant -> Grant.Release.RELEASED));
                        }),
                new PlantedBug(
                        "closing waits for an answer of the store",
                        "V5.5",
                        it -> it.close = () -> askBeforeClosing(it)),
                new PlantedBug(
                        "owners are not kept",
                        "API.39 API.40",
                        it -> it.request = request -> {
                            LockRequest anonymous = LockRequest.exclusive(request.name(), request.lease(), NOBODY);
                            return request.waits() ? anonymous : anonymous.withoutWaiting();
                        }));
    }

    private static void askBeforeClosing(BrokenBackend it) {
        try {
            var unused = it.inner.inspect("goodbye", Deadline.after(Duration.ofSeconds(5), it.clock()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void releaseLater(BrokenBackend it) {
        Executor later = CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS);
        AtomicBoolean closed = new AtomicBoolean();
        it.close = () -> closed.set(true);
        it.release = (grant, deadline) -> {
            later.execute(() -> {
                if (!closed.get()) {
                    releaseNow(grant.inner, it.clock());
                }
            });
            return Grant.Release.RELEASED;
        };
    }

    private static void releaseNow(Grant grant, LockClock clock) {
        try {
            var unused = grant.release(Deadline.after(Duration.ofSeconds(1), clock));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A clock whose sleepers wake up too late, those that run callbacks. */
    private record LateCallbacks(LockClock inner) implements LockClock {
        @Override
        public long nanoTime() {
            return inner.nanoTime();
        }

        @Override
        public long wallMillis() {
            return inner.wallMillis();
        }

        @Override
        public Parker parker() {
            return inner.parker();
        }

        @Override
        public Runnable track(Runnable work) {
            return inner.track(() -> {
                if (Thread.currentThread().getName().contains("-callback")) {
                    try (Parker parker = inner.parker()) {
                        parker.parkUntil(
                                inner.nanoTime() + Duration.ofSeconds(20).toNanos());
                    }
                }
                work.run();
            });
        }
    }
}

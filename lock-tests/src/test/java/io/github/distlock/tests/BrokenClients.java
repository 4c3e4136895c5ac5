package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** Clients that tell the wrong thing, late or twice, and do not end when they are closed. */
final class BrokenClients {
    private BrokenClients() {}

    static List<BrokenBackend> all() {
        return List.of(
                new BrokenBackend(
                        "a loss is reported late",
                        "S6.3",
                        store -> withCallbacks(store, (clock, callback) -> {
                            try (LockClock.Parker parker = clock.parker()) {
                                parker.parkUntil(clock.nanoTime()
                                        + Duration.ofSeconds(20).toNanos());
                            }
                            callback.run();
                        })),
                new BrokenBackend(
                        "a loss is reported twice",
                        "S8.6",
                        store -> withCallbacks(store, (clock, callback) -> {
                            callback.run();
                            callback.run();
                        })),
                new BrokenBackend("closing leaves a thread", "V5.9", LeavesThread::new),
                new BrokenBackend("closing leaves a hold", "V5.3", LeavesHold::new),
                new BrokenBackend("owners are not kept", "API.39 API.40", store -> new WrappedBackend(store.connect()) {
                    @Override
                    public Contender contend(LockRequest request, Signals signals) {
                        LockRequest anonymous = LockRequest.exclusive(
                                request.name(), request.lease(), LockOwner.of("unknown", 0, "unknown", "unknown"));
                        return super.contend(request.waits() ? anonymous : anonymous.withoutWaiting(), signals);
                    }
                }),
                new BrokenBackend(
                        "a look from the outside takes a place",
                        "API.39",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            public LockStatus inspect(String name, Deadline deadline) {
                                LockOwner nobody = LockOwner.of("unknown", 0, "unknown", "unknown");
                                LockRequest request = LockRequest.exclusive(name, Duration.ofDays(1), nobody);
                                LockStatus status = super.inspect(name, deadline);
                                try {
                                    var unused = inner.contend(request, NoSignals.INSTANCE)
                                            .attempt(deadline);
                                } catch (InterruptedException e) {
                                    Thread.currentThread().interrupt();
                                }
                                return status;
                            }
                        }),
                new BrokenBackend(
                        "a forced release only says so", "API.41", store -> new WrappedBackend(store.connect()) {
                            @Override
                            public Optional<LockStatus.Holder> forceRelease(String name, Deadline deadline) {
                                return inspect(name, deadline).holder();
                            }
                        }));
    }

    /** What becomes of a callback once the engine has handed it over. */
    private interface Fate {
        void meet(LockClock clock, Runnable callback);
    }

    private static LockBackend withCallbacks(InMemoryStore store, Fate fate) {
        LockClock clock = new LyingClock(store.clock(), fate);
        return new WrappedBackend(store.connect()) {
            @Override
            public LockClock clock() {
                return clock;
            }
        };
    }

    private record LyingClock(LockClock inner, Fate fate) implements LockClock {
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
                    fate.meet(inner, work);
                } else {
                    work.run();
                }
            });
        }
    }

    private static final class LeavesThread extends WrappedBackend {
        private final AtomicBoolean started = new AtomicBoolean();

        private LeavesThread(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            if (started.compareAndSet(false, true)) {
                Thread left = new Thread(() -> LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(30)));
                left.setDaemon(true);
                left.start();
            }
            return super.attempt(place, deadline);
        }
    }

    /** Releases in the background, which nothing waits for. */
    private static final class LeavesHold extends WrappedBackend {
        private static final Executor SOON = CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS);
        private volatile boolean closed;

        private LeavesHold(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        protected Grant.Release release(Held held, Deadline deadline) {
            SOON.execute(() -> {
                if (!closed) {
                    releaseNow(held);
                }
            });
            return Grant.Release.RELEASED;
        }

        private void releaseNow(Held held) {
            try {
                var unused = held.inner.release(Deadline.after(Duration.ofSeconds(1), clock()));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void close() {
            closed = true;
            super.close();
        }
    }

    private enum NoSignals implements Signals {
        INSTANCE;

        @Override
        public void wakeUp() {}

        @Override
        public void wanted() {}

        @Override
        public void suspect() {}

        @Override
        public void gone() {}
    }
}

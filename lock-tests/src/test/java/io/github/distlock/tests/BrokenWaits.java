package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Waits that are too long, in vain, or out of turn. */
final class BrokenWaits {
    private BrokenWaits() {}

    static List<BrokenBackend> all() {
        return List.of(
                new BrokenBackend(
                        "nobody is woken, and who waits asks again tomorrow",
                        "V2.1 V2.2 V2.3",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            public Contender contend(LockRequest request, Signals signals) {
                                return super.contend(request, new Deaf(signals, true));
                            }

                            @Override
                            protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                                return askAgainIn(Duration.ofDays(1), super.attempt(place, deadline));
                            }
                        }),
                new BrokenBackend(
                        "waiters are woken by messages only",
                        "V1.2 V1.3 V2.3",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                                return askAgainIn(Duration.ofDays(1), super.attempt(place, deadline));
                            }
                        }),
                new BrokenBackend(
                        "wake-ups of every other waiter are lost, and asking again hides it", "V2.1", store -> {
                            AtomicInteger places = new AtomicInteger();
                            return new WrappedBackend(store.connect()) {
                                @Override
                                public Contender contend(LockRequest request, Signals signals) {
                                    return super.contend(request, new Deaf(signals, places.incrementAndGet() % 2 == 0));
                                }

                                @Override
                                protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                                    return askAgainIn(Duration.ofMillis(5), super.attempt(place, deadline));
                                }
                            };
                        }),
                new BrokenBackend("the queue is not fair, and says that it is", "V3.2", UnfairQueue::new),
                new BrokenBackend(
                        "requests wait beyond their time-outs",
                        "V4.3 V4.4 V4.5 V4.8",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                                return super.attempt(place, patient());
                            }

                            @Override
                            protected Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
                                return super.release(held, patient());
                            }

                            private Deadline patient() {
                                return Deadline.after(Duration.ofSeconds(2), clock());
                            }
                        }),
                new BrokenBackend(
                        "an attempt goes on asking while the lock is busy",
                        "V4.1",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                                Attempt answer = super.attempt(place, deadline);
                                long end = System.nanoTime()
                                        + Duration.ofSeconds(3).toNanos();
                                while (answer instanceof Attempt.Busy
                                        && place.request.waits()
                                        && System.nanoTime() - end < 0) {
                                    LockSupport.parkNanos(10_000_000);
                                    answer = super.attempt(place, deadline);
                                }
                                return answer;
                            }
                        }),
                new BrokenBackend(
                        "an attempt clears the interrupt flag",
                        "V7.7 V7.11",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                                boolean unused = Thread.interrupted();
                                return super.attempt(place, deadline);
                            }
                        }),
                new BrokenBackend(
                        "an interrupt is taken for a busy lock",
                        "V7.5 V7.12",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected Attempt attempt(Place place, Deadline deadline) {
                                try {
                                    return super.attempt(place, deadline);
                                } catch (InterruptedException e) {
                                    return Attempt.busy(Duration.ZERO);
                                }
                            }
                        }));
    }

    private static Attempt askAgainIn(Duration time, Attempt answer) {
        return answer instanceof Attempt.Busy ? Attempt.busy(time) : answer;
    }

    /** Who asks first when the lock is free has it. */
    private static final class UnfairQueue extends WrappedBackend {
        private UnfairQueue(InMemoryStore store) {
            super(store.connect());
        }

        @Override
        public Contender contend(LockRequest request, Signals signals) {
            return super.contend(request.withoutWaiting(), signals);
        }

        @Override
        protected Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
            return askAgainIn(
                    Duration.ofMillis(ThreadLocalRandom.current().nextInt(1, 20)), super.attempt(place, deadline));
        }
    }

    private record Deaf(Signals signals, boolean deaf) implements Signals {
        @Override
        public void wakeUp() {
            if (!deaf) {
                signals.wakeUp();
            }
        }

        @Override
        public void wanted() {
            signals.wanted();
        }

        @Override
        public void suspect() {
            signals.suspect();
        }

        @Override
        public void gone() {
            signals.gone();
        }
    }
}

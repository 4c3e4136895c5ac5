package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Waits that are too long, in vain, or out of turn. */
final class BrokenWaits {
    static final Duration A_DAY = Duration.ofDays(1);

    private BrokenWaits() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug("no waiter is woken, and each asks again tomorrow", "API.3 V2.1 V2.2 V2.3", it -> {
                    it.signals = (asked, heard) -> new IgnoredSignals();
                    it.attempt = (contender, deadline) -> askAgainIn(A_DAY, contender.inner.attempt(deadline));
                }),
                new PlantedBug(
                        "waiters are woken by messages only",
                        "V1.2 V1.3 V2.3 F1.8 F2.18",
                        it -> it.attempt =
                                (contender, deadline) -> askAgainIn(A_DAY, contender.inner.attempt(deadline))),
                new PlantedBug("wake-ups of every other waiter are lost, and polling hides it", "V2.1", it -> {
                    AtomicInteger contenders = new AtomicInteger();
                    it.signals = (asked, heard) -> contenders.incrementAndGet() % 2 == 0 ? new IgnoredSignals() : heard;
                    it.attempt = (contender, deadline) ->
                            askAgainIn(Duration.ofMillis(5), contender.inner.attempt(deadline));
                }),
                new PlantedBug("a first attempt only enters the queue", "API.2", it -> {
                    Set<Contender> entered = ConcurrentHashMap.newKeySet();
                    it.attempt = (contender, deadline) -> entered.add(contender)
                            ? Attempt.busy(Duration.ofMillis(10))
                            : contender.inner.attempt(deadline);
                }),
                new PlantedBug("the queue is not fair, and says that it is", "V3.2", it -> {
                    it.request = LockRequest::withoutWaiting;
                    it.attempt = (contender, deadline) -> askAgainIn(
                            Duration.ofMillis(ThreadLocalRandom.current().nextInt(1, 20)),
                            contender.inner.attempt(deadline));
                }),
                new PlantedBug("requests wait beyond their timeouts", "V4.3 V4.4 V4.8 V4.10", it -> {
                    it.attempt = (contender, deadline) -> contender.inner.attempt(patient(it));
                    it.release = (grant, deadline) -> grant.inner.release(patient(it));
                    it.inspect = (name, deadline) -> it.inner.inspect(name, patient(it));
                }),
                new PlantedBug(
                        "an unanswered request is taken for a busy lock",
                        "S7.13 V4.4 V4.8 V4.9 F1.2 F1.4 F2.1 F2.16",
                        it -> it.attempt = (contender, deadline) -> {
                            try {
                                return contender.inner.attempt(deadline);
                            } catch (IllegalStateException e) {
                                return Attempt.busy(Duration.ofMillis(100));
                            }
                        }),
                new PlantedBug(
                        "an attempt goes on asking while the lock is busy",
                        "API.10 V4.1",
                        it -> it.attempt = (contender, deadline) -> {
                            Attempt answer = contender.inner.attempt(deadline);
                            long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
                            while (answer instanceof Attempt.Busy
                                    && contender.request.waits()
                                    && System.nanoTime() - end < 0) {
                                LockSupport.parkNanos(10_000_000);
                                answer = contender.inner.attempt(deadline);
                            }
                            return answer;
                        }),
                new PlantedBug(
                        "an attempt clears the interrupt flag",
                        "V7.7 V7.11",
                        it -> it.attempt = (contender, deadline) -> {
                            boolean unused = Thread.interrupted();
                            return contender.inner.attempt(deadline);
                        }),
                new PlantedBug(
                        "an interrupt is taken for a busy lock",
                        "V7.5 V7.12",
                        it -> it.attempt = (contender, deadline) -> {
                            try {
                                return contender.inner.attempt(deadline);
                            } catch (InterruptedException e) {
                                return Attempt.busy(Duration.ZERO);
                            }
                        }));
    }

    static Attempt askAgainIn(Duration time, Attempt answer) {
        return answer instanceof Attempt.Busy ? Attempt.busy(time) : answer;
    }

    private static Deadline patient(BrokenBackend it) {
        return Deadline.after(Duration.ofSeconds(2), it.clock());
    }
}

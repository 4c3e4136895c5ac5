package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.WrappedBackend.WrappedContender;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Connections that break, and processes that share a store and end. */
final class BrokenConnections {
    private BrokenConnections() {}

    static List<PlantedBug> all() {
        Map<String, Contender> numbered = new ConcurrentHashMap<>();
        Map<String, Set<Contender>> queues = new ConcurrentHashMap<>();
        return List.of(
                new PlantedBug(
                        "a client does not connect again after its connection has broken",
                        "F1.5 F1.8 F2.3 F2.7 F2.14 F2.16 F2.17 F2.18",
                        BrokenConnections::neverReconnect),
                new PlantedBug("each reconnect leaves a thread", "F2.15", it -> onFailure(it, () -> startThread(true))),
                new PlantedBug(
                        "a request reconnects for two seconds, whatever its deadline",
                        "F1.2 F1.4 F2.5 F2.16",
                        it -> onFailure(it, () -> LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(2)))),
                new PlantedBug(
                        "a connection is used again after a failed request, whose reply the next request reads",
                        "F2.13",
                        BrokenConnections::mixUpReplies),
                new PlantedBug(
                        "the lock is taken first, and a second request sets its lease",
                        "F2.12",
                        BrokenConnections::setLeaseAfterwards),
                new PlantedBug("contenders are numbered in each process", "S1.9", it -> {
                    AtomicInteger number = new AtomicInteger();
                    Map<Contender, Contender> identities = new ConcurrentHashMap<>();
                    it.attempt = (contender, deadline) -> {
                        contender.inner = identities.computeIfAbsent(
                                contender,
                                any -> numbered.computeIfAbsent(
                                        contender.request.name() + "#" + number.incrementAndGet(),
                                        first -> contender.inner));
                        return contender.inner.attempt(deadline);
                    };
                }),
                new PlantedBug(
                        "a heartbeat keeps all entries of the queue",
                        "V10.5 V10.10 F3.3",
                        it -> it.heartbeat = (waiting, deadline) -> {
                            for (Contender each : waiting) {
                                WrappedContender contender = (WrappedContender) each;
                                Set<Contender> queue = queues.computeIfAbsent(
                                        contender.request.name(), any -> ConcurrentHashMap.newKeySet());
                                queue.add(contender.inner);
                                it.inner.heartbeat(queue, deadline);
                            }
                        }),
                new PlantedBug("a thread of the backend is no daemon", "F3.4", it -> {
                    it.attempt = (contender, deadline) -> {
                        startThread(false);
                        return contender.inner.attempt(deadline);
                    };
                }));
    }

    private static void startThread(boolean daemon) {
        Thread thread = new Thread(() -> LockSupport.parkNanos(TimeUnit.MINUTES.toNanos(1)));
        thread.setDaemon(daemon);
        thread.start();
    }

    private interface Exchange<T, X extends Exception> {
        T send() throws X;
    }

    private static <T, X extends Exception> T noticing(Runnable failed, Exchange<T, X> exchange) throws X {
        try {
            return exchange.send();
        } catch (IllegalStateException e) {
            failed.run();
            throw e;
        }
    }

    private static void onFailure(BrokenBackend it, Runnable failed) {
        it.attempt = (contender, deadline) -> noticing(failed, () -> contender.inner.attempt(deadline));
        it.release = (grant, deadline) -> noticing(failed, () -> grant.inner.release(deadline));
        it.renewAll = (due, deadline) -> noticing(failed, () -> {
            it.passOn(due, deadline);
            return due;
        });
    }

    private static void neverReconnect(BrokenBackend it) {
        AtomicBoolean hasBroken = new AtomicBoolean();
        onFailure(it, () -> hasBroken.set(true));
        var attempt = it.attempt;
        var renewAll = it.renewAll;
        it.attempt = (contender, deadline) -> {
            failIf(hasBroken);
            return attempt.run(contender, deadline);
        };
        it.renewAll = (due, deadline) -> {
            failIf(hasBroken);
            renewAll.run(due, deadline);
        };
    }

    private static void failIf(AtomicBoolean hasBroken) {
        if (hasBroken.get()) {
            throw new IllegalStateException("not connected");
        }
    }

    private static void mixUpReplies(BrokenBackend it) {
        AtomicReference<@Nullable WrappedContender> unread = new AtomicReference<>();
        it.attempt = (contender, deadline) -> {
            WrappedContender before = unread.get() == null ? null : unread.getAndSet(contender);
            try {
                return (before == null ? contender : before).inner.attempt(deadline);
            } catch (IllegalStateException e) {
                unread.set(contender);
                throw e;
            }
        };
    }

    private static void setLeaseAfterwards(BrokenBackend it) {
        it.request = request -> {
            LockRequest endless = LockRequest.exclusive(request.name(), Duration.ofDays(1), request.owner())
                    .withMode(request.mode());
            return request.waits() ? endless : endless.withoutWaiting();
        };
        it.attempt = (contender, deadline) -> {
            Attempt answer = contender.inner.attempt(deadline);
            if (answer instanceof Attempt.Granted granted) {
                it.renew(granted.grant(), contender.request.lease(), deadline);
            }
            return answer;
        };
        it.validity = grant -> Validity.of(grant.inner.validity().from(), grant.contender.request.lease());
    }
}

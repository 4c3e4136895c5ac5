package io.github.distlock.tests;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Fencing tokens that let the wrong writer pass. */
final class BrokenTokens {
    /** How far a range is ahead of the clock that it began with. */
    private static final long RANGE = Duration.ofHours(1).toMillis();

    private BrokenTokens() {}

    static List<PlantedBug> all() {
        AtomicLong drawn = new AtomicLong();
        AtomicLong clients = new AtomicLong();
        return List.of(
                new PlantedBug(
                        "the token is constant",
                        "S3.1 S3.3 S3.4 S3.5 S3.6 S3.7 F1.6 F3.2",
                        it -> it.fencingBase = grant -> 7),
                new PlantedBug("each client counts tokens from one", "S3.4 S3.5 S3.6", it -> {
                    AtomicLong contenders = new AtomicLong();
                    it.request = request -> {
                        contenders.incrementAndGet();
                        return request;
                    };
                    it.fencingBase = grant -> contenders.get();
                }),
                new PlantedBug(
                        "tokens are unique, but in no order",
                        "S3.1 S3.3",
                        it -> it.fencingBase = grant -> Long.reverse(grant.inner.fencingBase()) >>> 9),
                new PlantedBug("the token is the client's clock", "S3.1 S3.4 S3.5 S3.6", it -> {
                    long behind = clients.incrementAndGet() * RANGE;
                    it.fencingBase = grant -> grant.validity().from().wallMillis() - behind;
                }),
                new PlantedBug("the token is drawn before the lock is taken", "S3.7", it -> {
                    Map<LockRequest, Long> tokens = new ConcurrentHashMap<>();
                    it.request = request -> {
                        tokens.put(request, drawn.incrementAndGet());
                        return request;
                    };
                    it.fencingBase = grant -> tokens.getOrDefault(grant.contender.request, 0L);
                }),
                new PlantedBug("tokens are counted in a range that outruns the clock", "S3.6", it -> {
                    Map<Grant, Long> tokens = new ConcurrentHashMap<>();
                    Map<String, Long> last = new ConcurrentHashMap<>();
                    it.fencingBase = grant -> tokens.computeIfAbsent(
                            grant.inner,
                            any -> last.merge(
                                    grant.contender.request.name(),
                                    it.clock().wallMillis(),
                                    (before, now) -> Math.max(before + RANGE, now)));
                }));
    }
}

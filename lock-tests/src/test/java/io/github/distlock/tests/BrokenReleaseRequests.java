package io.github.distlock.tests;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.RequestedRelease;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Requests for release that come late, twice, to the wrong holder, or not at all. */
final class BrokenReleaseRequests {
    private static final long LATE = Duration.ofSeconds(5).toNanos();

    private BrokenReleaseRequests() {}

    static List<PlantedBug> all() {
        return List.of(
                new PlantedBug("a request for release ends the holds", "V12.1", it -> {
                    it.requestRelease = (name, requester, deadline) -> {
                        int holders = it.inner.requestRelease(name, requester, deadline);
                        var unused = it.inner.forceRelease(name, OptionalLong.empty(), deadline);
                        return holders;
                    };
                }),
                new PlantedBug("one of several holders hears of a request for release", "V12.1", oneHears()),
                new PlantedBug(
                        "a request for release names the holder in place of the sender",
                        "V12.1",
                        it -> it.onRequest((grant, last) ->
                                new RequestedRelease(last.id(), grant.contender.request.owner(), last.cameBy()))),
                new PlantedBug(
                        "a request for release is found after some seconds",
                        "V12.1 V12.2 V12.7",
                        it -> it.onRequest(
                                (grant, last) -> it.clock().nanoTime() - last.cameBy() > LATE ? last : null)),
                new PlantedBug("a request for release is for those that listen", "V12.2 V12.7", forgetsEarlier()),
                new PlantedBug("a request for release is for all later holders", "V12.3", remembers()),
                new PlantedBug(
                        "a request for release is as old as its last read",
                        "V12.4",
                        it -> it.onRequest((grant, last) -> new RequestedRelease(
                                last.id(), last.requester(), it.clock().nanoTime()))),
                new PlantedBug("each read finds another request for release", "V12.5", numbersReads()),
                new PlantedBug("a request for release is read once", "V12.6", readsOnce()),
                new PlantedBug("a request for release ends with its sender", "V12.7", endsWithItsSender()),
                new PlantedBug(
                        "a client that was cut off reads no requests for release",
                        "V12.8",
                        BrokenReleaseRequests::giveUp));
    }

    private static Consumer<BrokenBackend> oneHears() {
        Map<String, Long> chosen = new ConcurrentHashMap<>();
        return it -> it.onRequest((grant, last) -> {
            long base = grant.inner.fencingBase();
            return chosen.computeIfAbsent(grant.contender.request.name(), any -> base) == base ? last : null;
        });
    }

    private static Consumer<BrokenBackend> forgetsEarlier() {
        Map<Grant, Long> heardSince = new ConcurrentHashMap<>();
        return it -> {
            it.onRequest((grant, last) -> last.cameBy() - heardSince.getOrDefault(grant, 0L) >= 0 ? last : null);
            var before = it.requestedReleases;
            it.requestedReleases = (grants, deadline) -> {
                grants.forEach(grant -> heardSince.putIfAbsent(grant, it.clock().nanoTime()));
                return before.run(grants, deadline);
            };
        };
    }

    private static Consumer<BrokenBackend> remembers() {
        Map<String, RequestedRelease> last = new ConcurrentHashMap<>();
        AtomicInteger requests = new AtomicInteger();
        return it -> {
            it.requestRelease = (name, requester, deadline) -> {
                String id = "request " + requests.incrementAndGet();
                last.put(name, new RequestedRelease(id, requester, it.clock().nanoTime()));
                return it.inner.requestRelease(name, requester, deadline);
            };
            it.requestedReleases = (grants, deadline) -> {
                Map<Grant, RequestedRelease> found = new HashMap<>();
                for (Grant grant : grants) {
                    String name = ((WrappedBackend.WrappedGrant) grant).contender.request.name();
                    last.computeIfPresent(name, (any, request) -> {
                        found.put(grant, request);
                        return request;
                    });
                }
                return found;
            };
        };
    }

    private static Consumer<BrokenBackend> numbersReads() {
        AtomicInteger reads = new AtomicInteger();
        return it -> it.onRequest((grant, last) ->
                new RequestedRelease(last.id() + "/" + reads.incrementAndGet(), last.requester(), last.cameBy()));
    }

    private static Consumer<BrokenBackend> readsOnce() {
        Set<String> read = ConcurrentHashMap.newKeySet();
        return it -> it.onRequest((grant, last) -> read.add(last.id() + "/" + grant.inner.fencingBase()) ? last : null);
    }

    private static Consumer<BrokenBackend> endsWithItsSender() {
        Set<String> closed = ConcurrentHashMap.newKeySet();
        return it -> {
            Set<String> senders = ConcurrentHashMap.newKeySet();
            it.requestRelease = (name, requester, deadline) -> {
                senders.add(requester.client());
                return it.inner.requestRelease(name, requester, deadline);
            };
            it.close = () -> closed.addAll(senders);
            it.onRequest((grant, last) -> closed.contains(last.requester().client()) ? null : last);
        };
    }

    private static void giveUp(BrokenBackend it) {
        AtomicBoolean wasCutOff = new AtomicBoolean();
        var before = it.requestedReleases;
        it.requestedReleases = (grants, deadline) -> {
            if (wasCutOff.get()) {
                return Map.of();
            }
            try {
                return before.run(grants, deadline);
            } catch (RuntimeException e) {
                wasCutOff.set(true);
                throw e;
            }
        };
    }
}

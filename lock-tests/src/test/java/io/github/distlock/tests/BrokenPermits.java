package io.github.distlock.tests;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** Permits that are too many or too few, requests for them that come out of turn, and names of two kinds. */
final class BrokenPermits {
    private static final Duration SHORT = Duration.ofMillis(10);

    private BrokenPermits() {}

    static List<PlantedBug> all() {
        Map<String, Integer> limits = new ConcurrentHashMap<>();
        return List.of(
                new PlantedBug(
                        "one permit more than the limit is granted",
                        "S10.1 S10.2",
                        it -> changePermits(
                                it,
                                request -> permits(
                                        request.mode().count(), request.mode().limit() + 1))),
                new PlantedBug(
                        "each request takes one permit",
                        "S10.1 S10.2 V10.8",
                        it -> changePermits(
                                it, request -> permits(1, request.mode().limit()))),
                new PlantedBug(
                        "the limit of the first client decides",
                        "S10.3",
                        it -> changePermits(it, request -> {
                            LockMode asked = request.mode();
                            int first = limits.computeIfAbsent(request.name(), any -> asked.limit());
                            return permits(asked.count(), Math.max(asked.count(), first));
                        })),
                new PlantedBug(
                        "a renewal of permits renews those of all holders",
                        "S10.4",
                        BrokenReaders.renewTogether(BrokenPermits::isForPermits)),
                new PlantedBug("no waiter for permits is woken", "V2.2 V10.7 V10.9", it -> {
                    QuietSignals.plant(it, () -> false);
                    it.signals = (asked, heard) -> isForPermits(asked) ? new QuietSignals(heard, () -> true) : heard;
                }),
                new PlantedBug("a request for several permits leaves no queue entry", "V10.8", it -> {
                    it.request = request -> request.mode().count() > 1 ? request.withoutWaiting() : request;
                    it.attempt =
                            (contender, deadline) -> BrokenWaits.askAgainIn(SHORT, contender.inner.attempt(deadline));
                }),
                new PlantedBug(
                        "each kind of lock has names of its own",
                        "S12.1 S12.2",
                        it -> BrokenExclusion.renameByRequest(
                                it,
                                request -> request.name() + "@" + request.mode().lockKind())),
                new PlantedBug(
                        "a name that is used as another kind counts as busy",
                        "S12.1 S12.2",
                        it -> it.attempt = (contender, deadline) -> {
                            try {
                                return contender.inner.attempt(deadline);
                            } catch (RequestRefusedException e) {
                                return Attempt.busy(SHORT);
                            }
                        }),
                new PlantedBug(
                        "only holders give a name its kind",
                        "S12.2",
                        it -> it.attempt = (contender, deadline) -> {
                            try {
                                return contender.inner.attempt(deadline);
                            } catch (RequestRefusedException e) {
                                if (it.inspect(contender.request.name(), deadline)
                                        .holders()
                                        .isEmpty()) {
                                    return Attempt.busy(SHORT);
                                }
                                throw e;
                            }
                        }));
    }

    private static boolean isForPermits(LockRequest request) {
        return request.mode().kind() == LockMode.Kind.PERMITS;
    }

    private static LockMode permits(int count, int limit) {
        return LockMode.permits(count, limit);
    }

    private static void changePermits(BrokenBackend it, Function<LockRequest, LockMode> modes) {
        it.request = request -> isForPermits(request) ? request.withMode(modes.apply(request)) : request;
    }
}

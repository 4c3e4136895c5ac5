package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Inspections that change or hide something, and forced releases that end too much or too little. */
final class BrokenInspections {
    private static final LockOwner NOBODY = LockOwner.of("unknown", 0, "unknown", "unknown");

    private BrokenInspections() {}

    static List<PlantedBug> all() {
        AtomicBoolean isForcing = new AtomicBoolean();
        Set<Long> granted = ConcurrentHashMap.newKeySet();
        Set<Long> downgraded = ConcurrentHashMap.newKeySet();
        return List.of(
                new PlantedBug(
                        "an inspection enters the queue",
                        "API.39",
                        it -> it.inspect = (name, deadline) -> {
                            var status = it.inner.inspect(name, deadline);
                            it.contendAndAttempt(LockRequest.exclusive(name, Duration.ofDays(1), NOBODY), deadline);
                            return status;
                        }),
                new PlantedBug(
                        "the inspector takes each holder for an exclusive one",
                        "API.46",
                        it -> it.inspect = (name, deadline) -> {
                            LockStatus status = it.inner.inspect(name, deadline);
                            return status.withHolders(status.holders().stream()
                                    .map(BrokenInspections::asExclusive)
                                    .toList());
                        }),
                new PlantedBug(
                        "the inspector takes each waiter for an exclusive one",
                        "API.48",
                        changeWaiters(
                                waiter -> LockStatus.Waiter.of(waiter.owner(), LockMode.EXCLUSIVE, waiter.since()))),
                new PlantedBug(
                        "the inspector does not know since when a waiter waits",
                        "API.48",
                        changeWaiters(waiter -> LockStatus.Waiter.of(waiter.owner(), waiter.mode(), Instant.EPOCH))),
                new PlantedBug(
                        "a list ignores its prefix",
                        "API.54",
                        it -> it.list = (prefix, position, deadline) -> it.inner.list("", position, deadline)),
                new PlantedBug("a list has names that are free", "API.54 API.55", it -> {
                    Set<String> used = ConcurrentHashMap.newKeySet();
                    it.onGrant((contender, grant) -> used.add(contender.request.name()));
                    it.list = (prefix, position, deadline) -> LockNames.last(used.stream()
                            .filter(name -> name.startsWith(prefix))
                            .toList());
                }),
                new PlantedBug(
                        "a list lacks kept locks",
                        "API.55",
                        it -> it.list = (prefix, position, deadline) -> {
                            List<String> held = new ArrayList<>();
                            for (String name :
                                    it.inner.list(prefix, position, deadline).names()) {
                                if (it.inner.inspect(name, deadline).kept().isEmpty()) {
                                    held.add(name);
                                }
                            }
                            return LockNames.last(held);
                        }),
                new PlantedBug(
                        "a list takes its prefix for a pattern",
                        "API.56",
                        it -> it.list = (prefix, position, deadline) ->
                                LockNames.last(it.inner.list("", position, deadline).names().stream()
                                        .filter(pattern(prefix).asMatchPredicate())
                                        .toList())),
                new PlantedBug(
                        "a list has names in percent code",
                        "API.56",
                        it -> it.list = (prefix, position, deadline) ->
                                LockNames.last(it.inner.list(prefix, position, deadline).names().stream()
                                        .map(name -> name.replace("%", "%25"))
                                        .toList())),
                new PlantedBug(
                        "a list repeats one name",
                        "API.57",
                        it -> it.list = (prefix, position, deadline) ->
                                LockNames.last(it.inner.list(prefix, position, deadline).names().stream()
                                        .limit(1)
                                        .flatMap(name -> Stream.of(name, name))
                                        .toList())),
                new PlantedBug(
                        "a list waits for a silent store",
                        "V4.11",
                        it -> it.list = (prefix, position, deadline) -> {
                            Deadline late = Deadline.after(Duration.ofSeconds(5), it.clock());
                            return it.inner.list(prefix, position, late);
                        }),
                new PlantedBug(
                        "a forced release only says so",
                        "API.41 API.49 API.50 API.53",
                        it -> it.forceRelease = (name, base, deadline) -> it.inspect(name, deadline).holders().stream()
                                .filter(holder -> base.isEmpty() || base(holder) == base.getAsLong())
                                .toList()),
                new PlantedBug(
                        "a forced release reports one hold",
                        "API.47",
                        it -> it.forceRelease =
                                (name, base, deadline) -> it.inner.forceRelease(name, base, deadline).stream()
                                        .limit(1)
                                        .toList()),
                new PlantedBug("a forced release wakes no waiter", "API.41 API.47 API.49", it -> {
                    QuietSignals.plant(it, isForcing::get);
                    it.forceRelease = (name, base, deadline) -> {
                        isForcing.set(true);
                        try {
                            return it.inner.forceRelease(name, base, deadline);
                        } finally {
                            isForcing.set(false);
                        }
                    };
                }),
                new PlantedBug(
                        "a forced release by a token ignores the token",
                        "API.50 API.51 API.52",
                        it -> it.forceRelease = (name, base, deadline) -> forceAll(it, name, deadline)),
                new PlantedBug(
                        "a forced release by a token ends all holds if one of them has it",
                        "API.50",
                        forceAllIfAny((present, wanted) -> present == wanted)),
                new PlantedBug(
                        "a forced release by a token ends later holds as well",
                        "API.51",
                        forceAllIfAny((present, wanted) -> present >= wanted)),
                new PlantedBug("the token of an earlier hold names the present one", "API.51", it -> {
                    it.onGrant((contender, grant) -> granted.add(grant.fencingBase()));
                    it.forceRelease = (name, base, deadline) -> {
                        List<LockStatus.Holder> ended = it.inner.forceRelease(name, base, deadline);
                        return ended.isEmpty() && base.isPresent() && granted.contains(base.getAsLong())
                                ? forceAll(it, name, deadline)
                                : ended;
                    };
                }),
                new PlantedBug(
                        "the token of the last hold names a kept lock",
                        "API.52",
                        it -> it.forceRelease = (name, base, deadline) ->
                                it.inner.inspect(name, deadline).kept().isPresent()
                                        ? forceAll(it, name, deadline)
                                        : it.inner.forceRelease(name, base, deadline)),
                new PlantedBug("the base of a hold is lost by its downgrade", "API.53", it -> {
                    it.downgrade = (grant, deadline) -> {
                        downgraded.add(grant.inner.fencingBase());
                        return grant.inner.downgrade(deadline);
                    };
                    it.forceRelease =
                            (name, base, deadline) -> base.isPresent() && downgraded.contains(base.getAsLong())
                                    ? List.of()
                                    : it.inner.forceRelease(name, base, deadline);
                }));
    }

    /** Returns a pattern as Redis reads it, for all that begins so. */
    private static Pattern pattern(String prefix) {
        String pattern = prefix.chars()
                .mapToObj(c -> c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(Character.toString(c)))
                .collect(Collectors.joining());
        return Pattern.compile(pattern + ".*", Pattern.DOTALL);
    }

    private static LockStatus.Holder asExclusive(LockStatus.Holder holder) {
        return LockStatus.Holder.of(
                holder.owner(), LockMode.EXCLUSIVE, holder.since(), base(holder), holder.remainingLease());
    }

    private static long base(LockStatus.Holder holder) {
        return holder.fencingToken() >> 8;
    }

    private static Consumer<BrokenBackend> changeWaiters(UnaryOperator<LockStatus.Waiter> change) {
        return it -> it.inspect = (name, deadline) -> {
            LockStatus status = it.inner.inspect(name, deadline);
            return status.withWaiters(status.waiters().stream().map(change).toList());
        };
    }

    private static List<LockStatus.Holder> forceAll(BrokenBackend it, String name, Deadline deadline)
            throws InterruptedException {
        return it.inner.forceRelease(name, OptionalLong.empty(), deadline);
    }

    private interface Match {
        boolean test(long present, long wanted);
    }

    /** Ends all holds if one of them matches. */
    private static Consumer<BrokenBackend> forceAllIfAny(Match match) {
        return it -> it.forceRelease = (name, base, deadline) -> base.isEmpty()
                        || it.inner.inspect(name, deadline).holders().stream()
                                .anyMatch(holder -> match.test(base(holder), base.getAsLong()))
                ? forceAll(it, name, deadline)
                : List.of();
    }
}

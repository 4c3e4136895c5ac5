package io.github.distlock.tests;

import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockInspector;
import io.github.distlock.LockLoss;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.LossReason;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Rules about the inspector, or about its refusal by a store that offers none. */
abstract class InspectorRules extends Rules {

    @Test
    void api_39_theInspectorSeesTheHolder() {
        if (isRefused(Capability.INSPECT)) {
            return;
        }
        Peer a = peer();
        LockInspector inspector = peer().locks.inspector();
        expectFreeStatus(inspector.inspect(name));
        Task<LockHandle> acquiring = start(a.lock(name)::acquire);
        LockHandle held = get(acquiring);

        LockStatus status = inspector.inspect(name);

        LockStatus.Holder holder = onlyHolder(status);
        LockOwner owner = holder.owner();
        expect(status.lockName().equals(name), name, status.lockName());
        expect(
                owner.client().equals(a.client)
                        && owner.thread().equals(acquiring.thread.getName())
                        && owner.processId() == ProcessHandle.current().pid()
                        && !owner.host().isBlank(),
                "client " + a.client + ", thread " + acquiring.thread.getName() + ", this process and host",
                owner);
        expect(holder.mode().equals(LockMode.EXCLUSIVE), LockMode.EXCLUSIVE.toString(), holder.mode());
        expect(holder.fencingToken() == held.fencingToken(), "token " + held.fencingToken(), holder.fencingToken());
        Duration left = holder.remainingLease();
        expect(
                left.compareTo(Duration.ZERO) > 0 && left.compareTo(expiry(a)) <= 0,
                "at most " + expiry(a) + " of the lease is left",
                left);
        expect(isNow(holder.since(), a), "held since now", holder.since());
        expect(status.waiters().isEmpty(), "no waiters", status.waiters());
        held.close();
        expectFreeStatus(inspector.inspect(name));
        expectClean("after it was inspected");
    }

    private static boolean isNow(Instant time, Peer peer) {
        Instant now = Instant.ofEpochMilli(peer.backend.clock().wallMillis());
        return Duration.between(time, now).abs().compareTo(Duration.ofMinutes(1)) < 0;
    }

    private LockStatus.Holder onlyHolder(LockStatus status) {
        expect(status.holders().size() == 1, "one holder", status);
        return status.holders().get(0);
    }

    private void expectFreeStatus(LockStatus status) {
        boolean free = status.holders().isEmpty() && status.waiters().isEmpty();
        expect(free && status.lockName().equals(name), "a free lock", status);
    }

    @Test
    void api_40_theInspectorSeesTheWaiters() {
        if (isRefused(Capability.INSPECT)) {
            return;
        }
        Peer b = peer();
        Peer c = peer();
        LockHandle held = acquire(peer());
        Task<LockHandle> second = startQueued(b, b.lock(name));
        Task<LockHandle> third = startQueued(c, c.lock(name));

        List<String> waiters = peer().locks.inspector().inspect(name).waiters().stream()
                .map(waiter -> waiter.owner().client())
                .toList();

        List<String> expected = List.of(b.client, c.client);
        if (can(Capability.FAIR)) {
            expect(waiters.equals(expected), "the waiters in their order, " + expected, waiters);
        } else {
            expect(expected.containsAll(waiters), "no client that does not wait", waiters);
        }
        held.close();
        b.locks.close();
        await("both waits end", second::isDone);
        get(third).close();
        expectFree("after waiters were inspected");
    }

    @Test
    void api_44_theInspectorSeesAKeptLock() {
        if (isRefused(Capability.INSPECT)) {
            return;
        }
        Peer a = peer();
        LockInspector inspector = peer().locks.inspector();
        acquireKept(a).close();

        LockStatus status = inspector.inspect(name);

        expect(status.holders().isEmpty() && status.waiters().isEmpty(), "no holder and no waiter", status);
        LockStatus.Kept kept = status.kept().orElseThrow(() -> broken("a kept lock", status.toString(), null));
        expect(kept.owner().client().equals(a.client), "kept by " + a.client, kept);
        Duration left = kept.remaining();
        expect(
                left.compareTo(Duration.ZERO) > 0 && left.compareTo(minimum().plus(store.slack())) <= 0,
                "kept for at most " + minimum(),
                left);
        store.letPass(minimum().plus(store.slack()));
        expectFreeStatus(inspector.inspect(name));
        expect(inspector.inspect(name).kept().isEmpty(), "not kept when the time is over", inspector.inspect(name));
        expectFree("when the time is over");
    }

    @Test
    void api_45_aForcedReleaseEndsAKeptLock() {
        if (isRefused(Capability.FORCE_RELEASE)) {
            return;
        }
        acquireKept(peer()).close();

        List<LockStatus.Holder> ended = peer().locks.inspector().forceRelease(name);

        expect(ended.isEmpty(), "no hold was ended", ended);
        expectFree("after a forced release");
    }

    @Test
    void v4_10_theInspectorReturnsInTimeIfTheStoreIsSilent() {
        if (isRefused(Capability.INSPECT)) {
            return;
        }
        Duration requestTimeout = Duration.ofMillis(200);
        Peer a = peer(builder -> builder.requestTimeout(requestTimeout));
        silence(a);

        Task<LockStatus> inspecting = start(() -> a.locks.inspector().inspect(name));

        failure(inspecting, LockException.class, "while the store is silent");
        expectInTime(inspecting, requestTimeout);
    }

    @Test
    void api_41_aForcedReleaseFreesTheLockAndNotifiesItsHolder() {
        if (isRefused(Capability.FORCE_RELEASE)) {
            return;
        }
        Peer b = peer();
        LockHandle held = acquire(peer());
        List<LockLoss> losses = losses(held);
        Task<LockHandle> waiter = startQueued(b, b.lock(name));
        LockInspector inspector = peer().locks.inspector();

        List<LockStatus.Holder> ended = inspector.forceRelease(name);

        long token = held.fencingToken();
        expect(
                ended.stream().map(LockStatus.Holder::fencingToken).toList().equals(List.of(token)),
                "the hold that was ended, token " + token,
                ended);
        LockHandle next = get(waiter, "the next waiter is granted the lock", soon());
        expect(next.fencingToken() > token, "a token above " + token, next.fencingToken());
        store.letPass(lease.dividedBy(2));
        await("the holder is notified by its next renewal", soon(), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.GONE && !held.isHeld(), "GONE, and not held", losses);
        expectHeld(next, "after the renewal of the hold before");
        next.close();
        expectFree("after the release");
        expect(inspector.forceRelease(name).isEmpty(), "nothing to end of a free lock", "a hold");
        expectClean("after a forced release of a free lock");
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "LOCK")
    void api_46_theInspectorSeesReadersWritersAndPermits(LockUse use) {
        if (isRefused(Capability.INSPECT)) {
            return;
        }
        Peer a = peer();
        Peer b = peer();
        List<LockHandle> held = use == LockUse.WRITER ? List.of(acquire(a)) : List.of(acquire(a), acquire(b));
        List<String> clients = use == LockUse.WRITER ? List.of(a.client) : List.of(a.client, b.client);
        Peer c = peer();
        Task<LockHandle> waiter = startQueued(c, alone(c));

        LockStatus status = peer().locks.inspector().inspect(name);

        List<LockStatus.Holder> holders = status.holders();
        expect(
                clients.equals(
                        holders.stream().map(holder -> holder.owner().client()).toList()),
                "the holders " + clients + " in the order of their grants",
                holders);
        expect(
                holders.stream().allMatch(holder -> holder.mode().equals(use.mode())),
                "holders of the mode " + use.mode(),
                holders);
        expect(
                held.stream()
                        .map(LockHandle::fencingToken)
                        .toList()
                        .equals(holders.stream()
                                .map(LockStatus.Holder::fencingToken)
                                .toList()),
                "the tokens of the holders",
                holders);
        expect(
                status.waiters().stream().allMatch(seen -> seen.owner().client().equals(c.client)),
                "no waiter but " + c.client,
                status.waiters());
        held.forEach(LockHandle::close);
        get(waiter, "the waiter is granted the lock", soon()).close();
        expectFree("after it was inspected");
    }

    @ParameterizedTest
    @EnumSource(names = {"READER", "PERMIT"})
    void api_47_aForcedReleaseEndsAllHoldsOfALock(LockUse use) {
        if (isRefused(Capability.FORCE_RELEASE)) {
            return;
        }
        List<LockHandle> held = List.of(acquire(peer()), acquire(peer()));
        Peer c = peer();
        Task<LockHandle> waiter = startQueued(c, alone(c));

        List<LockStatus.Holder> ended = peer().locks.inspector().forceRelease(name);

        List<Long> tokens = held.stream().map(LockHandle::fencingToken).toList();
        expect(
                tokens.equals(
                        ended.stream().map(LockStatus.Holder::fencingToken).toList()),
                "both holds were ended, tokens " + tokens,
                ended);
        LockHandle next = get(waiter, "the waiter is granted the lock", soon());
        store.letPass(lease.dividedBy(2));
        for (LockHandle each : held) {
            await("lost by the next renewal", soon(), () -> !each.isHeld());
        }
        expectHeld(next, "after the renewals of the holds before");
        expectRelease(next, Release.RELEASED, "for the successor, whose hold was spared");
        expectFree("after the release");
    }

    @ParameterizedTest
    @EnumSource
    void api_48_theInspectorSeesHowAWaiterWantsToShareTheLock(LockUse use) {
        if (isRefused(Capability.INSPECT)) {
            return;
        }
        LockHandle held = acquire(alone(peer()));
        Peer b = peer();
        Task<LockHandle> waiter = startQueued(b, lock(b));

        List<LockStatus.Waiter> waiters = peer().locks.inspector().inspect(name).waiters();

        expect(waiters.size() == 1 || !can(Capability.FAIR), "one waiter", waiters);
        expect(
                waiters.stream().allMatch(seen -> seen.mode().equals(use.mode())),
                "a waiter of the mode " + use.mode(),
                waiters);
        expect(waiters.stream().allMatch(seen -> isNow(seen.since(), b)), "waiting since now", waiters);
        held.close();
        get(waiter, "the waiter is granted the lock", soon()).close();
        expectFree("after it was inspected");
    }

    @ParameterizedTest
    @EnumSource
    void api_49_aForcedReleaseByATokenEndsTheHoldAndServesTheWaiterThatFits(LockUse use) {
        if (isRefused(Capability.FORCE_RELEASE)) {
            return;
        }
        LockHandle held = acquire(peer());
        List<LockLoss> losses = losses(held);
        Peer b = peer();
        Task<LockHandle> waiter = startQueued(b, alone(b));
        long token = held.fencingToken();

        Optional<LockStatus.Holder> ended = peer().locks.inspector().forceRelease(name, token);

        expectEnded(token, ended);
        LockHandle next = get(waiter, "the next waiter is granted the lock", soon());
        store.letPass(lease.dividedBy(2));
        await("the holder is notified by its next renewal", soon(), () -> !losses.isEmpty());
        expect(losses.get(0).reason() == LossReason.GONE && !held.isHeld(), "GONE, and not held", losses);
        expectHeld(next, "after the renewal of the hold before");
        expectRelease(next, Release.RELEASED, "for the successor, whose hold was spared");
        expectFree("after the release");
    }

    private void expectEnded(long token, Optional<LockStatus.Holder> ended) {
        expect(
                ended.filter(holder -> holder.fencingToken() == token).isPresent(),
                "the hold that was ended, token " + token,
                ended);
    }

    @ParameterizedTest
    @EnumSource(names = {"READER", "PERMIT"})
    void api_50_aForcedReleaseByATokenEndsOneHoldOfSeveral(LockUse use) {
        if (isRefused(Capability.FORCE_RELEASE)) {
            return;
        }
        LockHandle first = acquire(peer());
        LockHandle second = acquire(peer());
        Peer c = peer();
        Task<LockHandle> waiter = startQueued(c, alone(c));

        Optional<LockStatus.Holder> ended = peer().locks.inspector().forceRelease(name, second.fencingToken());

        expectEnded(second.fencingToken(), ended);
        store.letPass(lease.dividedBy(2));
        await("lost by the next renewal", soon(), () -> !second.isHeld());
        expectHeld(first, "after the forced release of another hold");
        expectWaits(waiter, "for the hold that was spared");
        expectRelease(first, Release.RELEASED, "for the hold that was spared");
        get(waiter, "the waiter is granted the lock", soon()).close();
        expectFree("after the releases");
    }

    @ParameterizedTest
    @EnumSource
    void api_51_aForcedReleaseByTheTokenOfAnEarlierHoldChangesNothing(LockUse use) {
        if (isRefused(Capability.FORCE_RELEASE)) {
            return;
        }
        LockInspector inspector = peer().locks.inspector();
        LockHandle earlier = acquire(peer());
        long seen = onlyHolder(inspector.inspect(name)).fencingToken();
        earlier.close();
        LockHandle held = acquireSoon(peer());
        Peer c = peer();
        Task<LockHandle> waiter = startQueued(c, alone(c));

        Optional<LockStatus.Holder> ended = inspector.forceRelease(name, seen);

        expect(ended.isEmpty(), "no hold has the token " + seen + " any more", ended);
        store.letPass(lease.dividedBy(2));
        expectHeld(held, "after the forced release of an earlier hold");
        expectWaits(waiter, "after the forced release of an earlier hold");
        expectRelease(held, Release.RELEASED, "for the hold that was spared");
        get(waiter, "the waiter is granted the lock", soon()).close();
        expect(inspector.forceRelease(name, seen).isEmpty(), "nothing to end of a free lock", "a hold");
        expectFree("after the releases");
    }

    @Test
    void api_52_aForcedReleaseByATokenSparesAKeptLock() {
        if (isRefused(Capability.FORCE_RELEASE)) {
            return;
        }
        LockInspector inspector = peer().locks.inspector();
        LockHandle held = acquireKept(peer());
        long token = held.fencingToken();
        held.close();

        Optional<LockStatus.Holder> ended = inspector.forceRelease(name, token);

        expect(ended.isEmpty(), "nobody holds a kept lock", ended);
        expectBusy(peer(), "while the lock is kept");
        expect(inspector.forceRelease(name).isEmpty(), "no hold was ended", "a hold");
        expectFree("after the forced release of a kept lock");
    }

    @Test
    @Uses(LockUse.WRITER)
    void api_53_theTokenOfAWriterNamesTheReaderThatItBecomes() {
        if (isRefused(Capability.FORCE_RELEASE)) {
            return;
        }
        Peer a = peer();
        LockHandle writing = acquire(a);
        long token = writing.fencingToken();
        LockHandle reading = a.locks.readWriteLock(name).downgrade(writing);

        Optional<LockStatus.Holder> ended = peer().locks.inspector().forceRelease(name, token);

        expectEnded(token, ended);
        store.letPass(lease.dividedBy(2));
        await("lost by the next renewal", soon(), () -> !reading.isHeld());
        expectFree("after the forced release");
    }

    @ParameterizedTest
    @EnumSource
    void api_54_theInspectorListsTheNamesThatAreInUse(LockUse use) {
        if (isRefused(Capability.LIST)) {
            return;
        }
        LockInspector inspector = peer().locks.inspector();
        Peer a = peer();
        LockHandle held = acquire(a);
        LockHandle second = acquire(a.locks.lock(name + "/second"));
        acquire(a.locks.lock(name + "/free")).close();

        expectList(inspector.list(name, 10), name, name + "/second");
        expectList(inspector.list(name + "/", 10), name + "/second");
        expectList(inspector.list(name + "/x", 10));
        expect(inspector.list("", 100_000).contains(name), "all names, with the one that is held", "others");

        held.close();
        second.close();
        await("the list is empty", soon(), () -> inspector.list(name, 10).isEmpty());
        expectClean("after names were listed");
    }

    private void expectList(List<String> seen, String... expected) {
        expect(
                seen.stream().sorted().toList().equals(List.of(expected)),
                List.of(expected).toString(),
                seen);
    }

    @Test
    void api_55_theInspectorListsAKeptLock() {
        if (isRefused(Capability.LIST)) {
            return;
        }
        LockInspector inspector = peer().locks.inspector();
        acquireKept(peer()).close();

        expectList(inspector.list(name, 10), name);

        store.letPass(minimum().plus(store.slack()));
        expectList(inspector.list(name, 10));
    }

    @Test
    void api_56_namesAndPrefixesAreListedCharacterByCharacter() {
        if (isRefused(Capability.LIST)) {
            return;
        }
        LockInspector inspector = peer().locks.inspector();
        Peer a = peer();
        List<String> names = Stream.of(
                        "*",
                        "?",
                        "[a]",
                        "\\",
                        "%41",
                        "%2F",
                        "/",
                        "..",
                        " ",
                        "{x}",
                        "_",
                        "%",
                        "\t",
                        "\u0000",
                        "é",
                        "\uD83D\uDE00")
                .map(characters -> name + characters)
                .sorted()
                .toList();
        List<LockHandle> held =
                names.stream().map(each -> acquire(a.locks.lock(each))).toList();

        expectList(inspector.list(name, 100), names.toArray(String[]::new));
        for (String each : names) {
            String[] expected =
                    names.stream().filter(other -> other.startsWith(each)).toArray(String[]::new);
            expectList(inspector.list(each, 100), expected);
        }

        held.forEach(LockHandle::close);
    }

    @Test
    void api_57_aListHasNoMoreNamesThanItsLimit() {
        if (isRefused(Capability.LIST)) {
            return;
        }
        LockInspector inspector = peer().locks.inspector();
        Peer a = peer();
        List<LockHandle> held = Stream.of("/1", "/2", "/3")
                .map(each -> acquire(a.locks.lock(name + each)))
                .toList();

        List<String> seen = inspector.list(name, 2);

        expect(
                seen.size() == 2
                        && Set.copyOf(seen).size() == 2
                        && seen.stream().allMatch(each -> each.startsWith(name)),
                "two names of three",
                seen);
        held.forEach(LockHandle::close);
    }

    @Test
    void v4_11_aListReturnsInTimeIfTheStoreIsSilent() {
        if (isRefused(Capability.LIST)) {
            return;
        }
        Duration requestTimeout = Duration.ofMillis(200);
        Peer a = peer(builder -> builder.requestTimeout(requestTimeout));
        silence(a);

        Task<List<String>> listing = start(() -> a.locks.inspector().list(name, 10));

        failure(listing, LockException.class, "while the store is silent");
        expectInTime(listing, requestTimeout);
    }

    /** Expects the refusal of a store that lacks a capability. Each needs an inspector. */
    private boolean isRefused(Capability capability) {
        Peer peer = peer();
        if (peer.backend.capabilities().containsAll(List.of(capability, Capability.INSPECT))) {
            return false;
        }
        thrown(UnsupportedOperationException.class, "without " + capability, () -> {
            LockInspector inspector = peer.locks.inspector();
            if (capability == Capability.FORCE_RELEASE) {
                thrown(
                        UnsupportedOperationException.class,
                        "without " + capability,
                        () -> inspector.forceRelease(name, Long.MAX_VALUE));
                inspector.forceRelease(name);
            } else if (capability == Capability.LIST) {
                expect(inspector.list(name, 1) == null, "a refusal", "a list");
            } else {
                expect(inspector.inspect(name) == null, "a refusal", "a status");
            }
        });
        return true;
    }
}
